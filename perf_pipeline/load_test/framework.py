"""``LoadTestFramework``: runs what a ``LoadTestConfig`` says, from servers to report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.settings import current_settings
from perf_pipeline.load_test.load_test_config import LoadTestConfig
from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.report.markdown import render_markdown
from perf_pipeline.run import run_scenario
from perf_pipeline.samples.run_folder import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perf_pipeline.config.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.performance import PerformanceMetrics
    from perf_pipeline.metrics.run_metrics import RunMetrics

BASELINE_LEVELS = (100, 500, 1000)


class LoadTestFramework:
    """Load tests without an orchestrator; each call is one run with its folder and report.

    Attributes:
        config: The options.
        runs: Metrics of the runs so far, in their order.
    """

    def __init__(
        self,
        config: LoadTestConfig | None = None,
        *,
        settings: Settings | None = None,
        target: str = "kailash",
        nodes: str = "code",
        say: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            config: The options; None for the defaults.
            settings: Where things are; None for what the environment says.
            target: What executes the workflows.
            nodes: How the workflows are written: ``code`` or ``lean``.
            say: Told what people should know while they wait.
        """
        self.config = config or LoadTestConfig()
        self.runs: list[RunMetrics] = []
        self._settings = settings or current_settings()
        self._target = target
        self._nodes = nodes
        self._say = say

    def execute_concurrent_workflows(self) -> PerformanceMetrics:
        """Run the level that the options describe.

        Raises:
            PerfPipelineError: The options are wrong, or servers or target cannot be had.
        """
        return self._run(self._scenario("load_test"))[0]

    def run_baseline_performance_test(
        self, levels: Sequence[int] = BASELINE_LEVELS
    ) -> list[PerformanceMetrics]:
        """Run one level after the other; the options say the rest.

        Args:
            levels: Workflows in flight.

        Returns:
            One a level, in their order.

        Raises:
            PerfPipelineError: As for ``execute_concurrent_workflows``.
            ValueError: No level was given.
        """
        # Each is checked before the first is run.
        scenarios = [self._scenario("baseline", concurrent_workflows=level) for level in levels]
        if not scenarios:
            raise ValueError("no levels were given: name at least one, such as [100]")
        return self._run(replace(scenarios[0], concurrency=tuple(levels)))

    def generate_performance_report(self) -> Path:
        """Write ``comprehensive_report_<timestamp>.md`` of every run so far; returns its path.

        Raises:
            ValueError: Nothing was run yet.
        """
        if not self.runs:
            raise ValueError("there is nothing to report yet: run a test first")
        name = f"comprehensive_report_{self.runs[-1].run_id[:15]}.md"
        path = self._settings.results_dir / name
        write_atomically(path, "\n\n".join(map(render_markdown, self.runs)).encode())
        return path

    def _scenario(self, name: str, **changed: int) -> Scenario:
        return replace(self.config, **changed).to_scenario(  # type: ignore[arg-type]
            read_machine_limits(), name=name, target=self._target, nodes=self._nodes
        )

    def _run(self, scenario: Scenario) -> list[PerformanceMetrics]:
        metrics = run_scenario(scenario, self._settings, say=self._say)
        self.runs.append(metrics)
        return [
            performance_metrics(level, metrics.run_id, scenario.name) for level in metrics.levels
        ]
