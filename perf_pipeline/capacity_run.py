"""A run that searches for capacity: each level is chosen by what the ones before it showed.

Everything else is as in any run: the same servers, workers, journals, metrics and report. What is
searched for stands in the manifest, so that the finding can be made anew from the records.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.capacity_search import Ask, CapacitySearch
from perf_pipeline.analysis.capacity_steps import (
    KEY,
    measure_capacity,
    measure_step,
    space_of,
    write_capacity,
)
from perf_pipeline.analysis.measure import context_of
from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.capacity_question import LONGER
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.report.run.capacity_page import write_capacity_report
from perf_pipeline.run import Run, measure, report
from perf_pipeline.samples.run_folder import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perf_pipeline.analysis.capacity import CapacityFinding
    from perf_pipeline.config.scenario.capacity_question import CapacityQuestion
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.loadgen.supervise.stopped import Stopped
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.servers.server import Server


class CapacityRun(Run):
    """A run whose levels are the steps of a search."""

    def __init__(
        self,
        scenario: Scenario,
        question: CapacityQuestion,
        settings: Settings,
        *,
        run_id: str | None = None,
        notify: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """Prepare a search; nothing is started.

        Args:
            scenario: What its levels play, but for the load; checked.
            question: What is searched for.
            settings: Where things are.
            run_id: Its id; None for a new one.
            notify: Called with each line that people should see while they wait.
        """
        self._base = scenario
        self._question = question
        first = self._scenario_of(Ask(question.start))
        super().__init__(first, settings, run_id=run_id, notify=notify)

    def _scenario_of(self, ask: Ask) -> Scenario:
        """Return the scenario that has the asked load for its only level."""
        base, question = self._base, self._question
        phases = base.phases
        if ask.longer:
            steady_s = LONGER * phases.steady_s
            most_s = max(phases.steady_max_s, steady_s)
            phases = replace(phases, steady_s=steady_s, steady_max_s=most_s)
        alone = replace(
            base,
            title=f"Capacity: {base.title or base.name}",
            level_names=(),
            concurrency=(),
            arrivals=(),
            arms=(),
            repeats=1,
            phases=phases,
            slos=question.slos,
        )
        if question.of == "in_flight":
            return replace(alone, concurrency=(int(ask.load),))
        like = base.arrivals[0] if base.arrivals else Arrivals("")
        arrivals = Arrivals(
            label=f"{ask.load:g}-per-s",
            rate_per_s=ask.load,
            duration_s=phases.warm_up_s + phases.steady_s,
            slots=question.slots,
            start_timeout_s=like.start_timeout_s,
        )
        return replace(alone, arrivals=(arrivals,))

    def _levels(self) -> Iterator[LevelPlan]:
        """Yield the level that the search asks for next, until it asks for none."""
        context = context_of(read_json(self.folder.manifest))
        search = CapacitySearch(space_of(self._question))
        self._plans.clear()
        while (ask := search.next()) is not None:
            if self._plans:
                time.sleep(self._base.phases.cooldown_s)
            plan = self._plan_of(ask)
            self._plans.append(plan)
            yield plan
            folder = self.folder.root / "levels" / plan.folder_name
            point, answer, _ = measure_step(folder, ask, context)
            search = search.told(ask, answer)
            why = f": {point.why}" if point.why else ""
            self._notify(
                f"step {len(search.steps)}: {plan.load}: {point.word.replace('_', ' ')}{why}"
            )

    def _plan_of(self, ask: Ask) -> LevelPlan:
        scenario = self._scenario_of(ask)
        processes = processes_of(scenario, read_machine_limits())
        plan = plan_levels(scenario, processes, self._servers.left_out)[0]
        label = f"{plan.label}-longer" if ask.longer else plan.label
        return replace(plan, index=len(self._plans), label=label)

    def _stopped(self, plan: LevelPlan, log: LevelLog) -> Stopped | None:  # noqa: ARG002
        """Return None: where one load is too much, a smaller one is what comes next."""
        return None

    def _manifest(
        self, servers: dict[str, Server], environments: dict[str, TargetEnvironment]
    ) -> dict[str, Any]:
        asked = {"of": self._question.of, "space": asdict(space_of(self._question))}
        return {**super()._manifest(servers, environments), KEY: asked}


def finish_capacity(folder: RunFolder) -> tuple[CapacityFinding, Path]:
    """Write everything that is derived from the records of a search, finished or not.

    Returns:
        What it found, and its page.

    Raises:
        RunFolderError: The folder holds no search, or a file of it cannot be read.
    """
    metrics = measure(folder)
    report(folder, metrics)
    return report_capacity(folder, metrics)


def report_capacity(folder: RunFolder, metrics: RunMetrics) -> tuple[CapacityFinding, Path]:
    """Write what a search found, from its records, and its page; as ``finish_capacity``."""
    finding = measure_capacity(folder)
    write_capacity(folder, finding)
    return finding, write_capacity_report(finding, metrics, folder.root)


def search_capacity(
    scenario: Scenario,
    question: CapacityQuestion,
    settings: Settings,
    *,
    run_id: str | None = None,
    notify: Callable[[str], None] = lambda _text: None,
) -> CapacityFinding:
    """Search for the greatest load that keeps objectives, from servers to report.

    Raises:
        PerfPipelineError: Before the first level, when servers or target cannot be had; or after
            the report was written, when what the run kept on a server could not be removed.
    """
    with CapacityRun(scenario, question, settings, run_id=run_id, notify=notify) as run:
        folder = run.load()
        finding, _ = finish_capacity(folder)
    return finding
