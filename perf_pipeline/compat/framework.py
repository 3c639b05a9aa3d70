"""``LoadTestFramework``: runs a ``LoadTestConfig``, from servers to report."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from perf_pipeline.campaign.planned_campaign import planned_campaign
from perf_pipeline.campaign.trend import judge_trend
from perf_pipeline.compat.comprehensive_report import write_comprehensive_report
from perf_pipeline.compat.load_test_config import WORKFLOW_TYPES, LoadTestConfig
from perf_pipeline.compat.loads_course import LoadsCourse
from perf_pipeline.compat.named_load import (
    DATABASE_LOADS,
    TRANSACTION_THINK_TIME_S,
    pressure_loads,
)
from perf_pipeline.compat.recovery import judge_recovery, recovery_sentences
from perf_pipeline.compat.regression import analyse_regression
from perf_pipeline.compat.single_execution import single_execution
from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.config.endurance.endurance import REAL_HOUR_S, Endurance
from perf_pipeline.config.settings import current_settings
from perf_pipeline.endurance_run import run_endurance
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.endurance.hour_plan import refuse_unplayable
from perf_pipeline.metrics.performance import PerformanceMetrics, performance_metrics
from perf_pipeline.report.endurance.files import write_campaign_report
from perf_pipeline.report.run.markdown import render_markdown
from perf_pipeline.report.text.escape import markdown as inert
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.scenario_run import run_scenario
from perf_pipeline.workload.servers import servers_used

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from perf_pipeline.compat.named_load import NamedLoad
    from perf_pipeline.compat.regression import Side
    from perf_pipeline.compat.single_execution import SingleExecution
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.course import Course
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

BASELINE_LEVELS = (100, 500, 1000)

ENDURANCE_RATE_PER_S = 10.0
"""As in the scenario ``endurance``."""


class LoadTestFramework:
    """Load tests without an orchestrator; each run has its folder and report.

    Every method that runs something raises PerfPipelineError before the first level when the
    options are wrong, or when a server or the target is unavailable. Between the end of a level
    and the start of the next, ``cooldown_duration`` passes, whichever methods run them.

    Attributes:
        config: The options.
        runs: Metrics of the runs so far, in their order.
        recovery: How the last database test's load after the exhaustion compares with the same
            load before it, as ``analyze_performance_regression`` does; None without both.
    """

    def __init__(
        self,
        config: LoadTestConfig | None = None,
        *,
        settings: Settings | None = None,
        target: str = "kailash",
        nodes: str = "code",
        notify: Callable[[str], None] = lambda _text: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        wait_s: float = DEFAULT_WAIT_S,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            config: The options; None for the defaults.
            settings: Paths and addresses; None for those of the environment.
            target: What executes the workflows.
            nodes: How the workflows are written: ``code`` or ``lean``.
            notify: Called with each line that people should see while they wait.
            clock: Seconds, for the rest between two levels.
            sleep: Waits for so many seconds.
            wait_s: How long each run waits for another load run on this host to end; 0 for not at
                all. When that goes on for longer, GaveUpWaitingError is raised.

        Raises:
            ScenarioError: With every problem of the options.
        """
        self.config = config or LoadTestConfig()
        self.runs: list[RunMetrics] = []
        self.recovery: dict[str, Any] | None = None
        self._settings = settings or current_settings()
        self._target = target
        self._nodes = nodes
        self._notify = notify
        self._clock = clock
        self._sleep = sleep
        self._wait_s = wait_s
        self._ended_s: float | None = None
        self._found: list[str] = []
        self._scenario("load_test")

    def execute_concurrent_workflows(self) -> PerformanceMetrics:
        """Run the level that the options describe."""
        return self._run(self._scenario("load_test"))[0]

    def execute_single_workflow(self, workflow_type: str | None = None) -> SingleExecution:
        """Execute one workflow that has the runtime to itself, after one that warms it up.

        Its worker may have begun a few more before it was stopped; they are in the records.

        Args:
            workflow_type: What it does; None for the first of the options' types.

        Raises:
            PerfPipelineError: As for every run, and when no workflow was executed.
        """
        kind = workflow_type or (self.config.workflow_types or WORKFLOW_TYPES)[0]
        scenario = self._scenario(
            "single",
            concurrent_workflows=1,
            total_workflows=1,
            ramp_up_duration=0,
            workflow_types=[kind],
        )
        self._run(replace(scenario, processes=1))
        metrics = self.runs[-1]
        return single_execution(metrics, RunFolder(self._settings.results_dir / metrics.run_id))

    def run_baseline_performance_test(
        self, levels: Sequence[int] = BASELINE_LEVELS
    ) -> list[PerformanceMetrics]:
        """Run one level after the other, otherwise by the options.

        Args:
            levels: Workflows in flight.

        Returns:
            One a level, in their order; fewer if the run was stopped early.

        Raises:
            ValueError: No level was given.
        """
        # Each is checked before the first is run.
        scenarios = [self._scenario("baseline", concurrent_workflows=level) for level in levels]
        if not scenarios:
            raise ValueError("no levels were given: name at least one, such as [100]")
        return self._run(replace(scenarios[0], concurrency=tuple(levels)))

    def run_database_stress_test(
        self, loads: Sequence[NamedLoad] = DATABASE_LOADS
    ) -> dict[str, PerformanceMetrics]:
        """Run workflows that use every server under ever more load, then on few connections.

        Unless the options name ``workflow_types``, each workflow keeps a transaction open on every
        server at once, for ``TRANSACTION_THINK_TIME_S``.

        Each load is a level of one run, with its own pools on the same servers. What the loads
        show of exhaustion and recovery goes to ``notify``; ``recovery`` has the comparison.

        Args:
            loads: By default those of the scenario ``database``: 100, 300 and 500 in flight on
                ``max_db_connections``, then 200 in flight on 50, then 100 again.

        Returns:
            Name of the load to its metrics; without those that were not run, after a load that
            ended the run.

        Raises:
            ScenarioError: None of the options' types uses a server at their complexity.
        """
        # Each is checked before the first is run.
        scenarios = {load.name: self._database_scenario(load) for load in loads}
        course = LoadsCourse("database", scenarios)
        measured = self._run(course.scenario, course)
        found = {
            level.label: one for level, one in zip(self.runs[-1].levels, measured, strict=True)
        }
        self.recovery = judge_recovery(found)
        uses = {level.label: level.connections for level in self.runs[-1].levels}
        self._found = list(recovery_sentences(uses, self.recovery))
        for sentence in self._found:
            self._notify(sentence)
        return found

    def run_resource_pressure_test(self) -> dict[str, PerformanceMetrics]:
        """Run the options' level without limits, with little memory, with little CPU, with both.

        The limits are the options'; where they have none, 512 MB and one core. A level whose
        worker was ended by the memory limit is ``incomplete``, with the reason.

        Returns:
            ``no_pressure``, ``memory_pressure``, ``cpu_saturation`` and ``combined_pressure`` to
            their metrics.
        """
        limits = self.config.memory_limit_mb, self.config.cpu_limit_percent
        # Each is checked before the first is run.
        scenarios = {
            load.name: replace(self._scenario(f"pressure_{load.name}", **load.changed), stress=True)
            for load in pressure_loads(*limits)
        }
        return {name: self._run(scenario)[0] for name, scenario in scenarios.items()}

    def run_endurance_test(
        self,
        duration_hours: float = 24,
        *,
        rate_per_s: float = ENDURANCE_RATE_PER_S,
        hour_seconds: float = REAL_HOUR_S,
    ) -> list[PerformanceMetrics]:
        """Run hours of constant load on one process after the other that lives through all of them.

        Workflows arrive at a constant rate, whether or not earlier ones have ended;
        ``concurrent_workflows`` is the maximum in flight. The results are in a folder
        ``endurance-<id>``, with verdicts and report, and in ``endurance_<h>h_<timestamp>.json``.

        Args:
            duration_hours: How long, in hours.
            rate_per_s: Workflows that arrive a second.
            hour_seconds: Length of an hour; shorter ones than 3600 s are scaled, and said to be.

        Returns:
            One an hour, in their order; none for an hour whose load never began.
        """
        scenario = self._scenario("endurance")
        if scenario.faults:
            raise ScenarioError(
                ["enable_failure_injection is set, but no failure is injected into hours: leave it"]
            )
        soak = Endurance(
            rate_per_s=rate_per_s,
            hours=duration_hours,
            hour_seconds=hour_seconds,
            slots=self.config.concurrent_workflows,
        )
        scenario = replace(scenario, concurrency=(), endurance=soak)
        refuse_unplayable(scenario)
        planned, settings = planned_campaign(scenario), self._settings
        folder = run_endurance(planned, settings, notify=self._notify, wait_s=self._wait_s)
        judge_trend(folder, settings, notify=self._notify, wait_s=self._wait_s)
        write_campaign_report(folder.root)
        return [PerformanceMetrics(**performance) for _, performance in folder.performances()]

    def analyze_performance_regression(
        self, baseline_metrics: Side, current_metrics: Side, despite: Collection[str] = ()
    ) -> dict[str, Any]:
        """Compare two levels, as described in ``compat/regression.py``.

        Args:
            baseline_metrics: The older side: one run, or one a repeat.
            current_metrics: The newer side.
            despite: What may differ all the same, such as ``machine``.
        """
        return analyse_regression(baseline_metrics, current_metrics, despite=despite)

    def generate_performance_report(self) -> Path:
        """Write ``comprehensive_report_<timestamp>.md`` of every run so far; returns its path.

        Raises:
            ValueError: Nothing was run yet.
        """
        if not self.runs:
            raise ValueError("there is nothing to report yet: run a test first")
        reports = [render_markdown(run) for run in self.runs]
        if self._found:
            lines = (f"- {inert(sentence.strip())}" for sentence in self._found)
            reports.append("\n".join(["# Database test", "", *lines]))
        results = self._settings.results_dir
        return write_comprehensive_report(results, self.runs[-1].run_id, reports)

    def _database_scenario(self, load: NamedLoad) -> Scenario:
        self._scenario("database", **load.changed)  # reports every wrong option
        complexity = load.changed.get("workflow_complexity", self.config.workflow_complexity)
        types = [
            family
            for family in self.config.workflow_types or ("database",)
            if servers_used(family, complexity)
        ]
        if not types:
            problem = f'uses a server at workflow_complexity "{complexity}"; add "analytics".'
            raise ScenarioError([f"workflow_types has none that {problem}"])
        changed = {**load.changed, "workflow_types": types, "enable_database_stress": True}
        scenario = replace(self._scenario(f"database_{load.name}", **changed), stress=True)
        if "database" not in types:
            return scenario
        think_s = TRANSACTION_THINK_TIME_S
        pools = replace(scenario.connections, transaction_think_time_s=think_s)
        return replace(scenario, connections=pools)

    def _scenario(self, name: str, **changed: Any) -> Scenario:
        return replace(self.config, **changed).to_scenario(
            name, target=self._target, nodes=self._nodes
        )

    def _run(self, scenario: Scenario, course: Course | None = None) -> list[PerformanceMetrics]:
        if self._ended_s is not None:
            rested_s = self._clock() - self._ended_s
            self._sleep(max(0.0, scenario.phases.cooldown_s - rested_s))
        metrics = run_scenario(
            scenario, self._settings, notify=self._notify, course=course, wait_s=self._wait_s
        ).metrics
        self._ended_s = self._clock()
        self.runs.append(metrics)
        return [
            performance_metrics(level, metrics.run_id, scenario.name) for level in metrics.levels
        ]
