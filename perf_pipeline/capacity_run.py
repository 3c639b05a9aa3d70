"""A run that searches for capacity: each level is chosen by what the ones before it showed.

Everything else is as in any run: the same servers, worker processes, journals, metrics and report.
The manifest says what is searched for, so that the result can be computed again from the metrics.
"""

from __future__ import annotations

import time
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.analysis.capacity_search import Ask, CapacitySearch
from perf_pipeline.analysis.capacity_steps import (
    measure_capacity,
    measure_step,
    space_of,
    write_capacity,
)
from perf_pipeline.analysis.measure import context_of
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.capacity_question import LONGER
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.report.run.capacity_page import write_capacity_report
from perf_pipeline.report.run.files import write_files
from perf_pipeline.run import Run
from perf_pipeline.samples.manifest import SearchedLoad, read_manifest
from perf_pipeline.scenario_run import file_finished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.analysis.capacity import CapacityFinding
    from perf_pipeline.config.scenario.capacity_question import CapacityQuestion
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.manifest import Stopped
    from perf_pipeline.samples.run_folder import RunFolder


class SearchedRun(NamedTuple):
    """The result of a search.

    Attributes:
        metrics: What was measured at its levels.
        finding: The capacity that it found.
        page: Path of its HTML page.
    """

    metrics: RunMetrics
    finding: CapacityFinding
    page: Path


class SearchCourse:
    """The levels of a search: each is chosen by what the ones before it showed."""

    def __init__(
        self,
        scenario: Scenario,
        question: CapacityQuestion,
        notify: Callable[[str], None],
    ) -> None:
        """Prepare a search.

        Args:
            scenario: What its levels play, but for the load; checked.
            question: What is searched for.
            notify: Called with a line about each step.
        """
        self._base = scenario
        self._question = question
        self._notify = notify
        self._left_out: tuple[str, ...] = ()

    @property
    def scenario(self) -> Scenario:
        """The scenario of the first step."""
        return self._scenario_of(Ask(self._question.start))

    @property
    def searched(self) -> SearchedLoad:
        """What is searched for, so that the finding can be made from the records alone."""
        return SearchedLoad(self._question.of, space_of(self._question))

    @property
    def compared(self) -> None:
        """Nothing is compared."""
        return None

    def scenario_of(self, plan: LevelPlan) -> Scenario:  # noqa: ARG002
        """Return the scenario of every step; the loads are in the plans."""
        return self.scenario

    def plans(self, left_out: tuple[str, ...]) -> list[LevelPlan]:
        """Return the first step alone."""
        self._left_out = left_out
        return [self._plan_of(Ask(self._question.start), 0)]

    def levels(self, plans: list[LevelPlan], folder: RunFolder) -> Iterator[LevelPlan]:
        """Yield the level that the search asks for next, until it asks for none."""
        context = context_of(read_manifest(folder))
        search = CapacitySearch(space_of(self._question))
        plans.clear()
        while (ask := search.next()) is not None:
            if plans:
                time.sleep(self._base.phases.cooldown_s)
            plan = self._plan_of(ask, len(plans))
            plans.append(plan)
            yield plan
            point, answer = measure_step(folder.root / "levels" / plan.folder_name, ask, context)
            search = search.with_answer(ask, answer)
            why = f": {point.why}" if point.why else ""
            self._notify(
                f"step {len(search.steps)}: {plan.load}: {point.verdict.replace('_', ' ')}{why}"
            )

    def stopped(
        self,
        plan: LevelPlan,  # noqa: ARG002
        log: LevelLog,  # noqa: ARG002
        plans: Sequence[LevelPlan],  # noqa: ARG002
    ) -> Stopped | None:
        """Return None: after a load that is too much, the search tries a smaller one."""
        return None

    def _plan_of(self, ask: Ask, index: int) -> LevelPlan:
        scenario = self._scenario_of(ask)
        processes = processes_of(scenario, read_machine_limits())
        plan = plan_levels(scenario, processes, self._left_out)[0]
        label = f"{plan.label}-longer" if ask.longer else plan.label
        return replace(plan, index=index, label=label)

    def _scenario_of(self, ask: Ask) -> Scenario:
        """Return the scenario that has the asked load for its only level."""
        base, question = self._base, self._question
        phases = base.phases
        if ask.longer:
            steady_s = LONGER * phases.steady_s
            steady_max_s = max(phases.steady_max_s, steady_s)
            phases = replace(phases, steady_s=steady_s, steady_max_s=steady_max_s)
        alone = replace(
            base,
            title=f"Capacity: {base.title or base.name}",
            level_names=(),
            concurrency=(),
            levels=(),
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


def capacity_run(
    scenario: Scenario,
    question: CapacityQuestion,
    settings: Settings,
    *,
    run_id: str | None = None,
    notify: Callable[[str], None] = lambda _text: None,
    environments: Mapping[str, TargetEnvironment] = MappingProxyType({}),
    wait_s: float = DEFAULT_WAIT_S,
) -> Run:
    """Return a run whose levels are the steps of a search; nothing is started.

    Args:
        scenario: What its levels play, but for the load; checked.
        question: What is searched for.
        settings: Where things are.
        run_id: Its id; None for a new one.
        notify: Called with each line that people should see while they wait.
        environments: As of ``Run``.
        wait_s: Likewise.
    """
    course = SearchCourse(scenario, question, notify)
    return Run(
        course.scenario,
        settings,
        run_id=run_id,
        notify=notify,
        course=course,
        environments=environments,
        wait_s=wait_s,
    )


def finish_capacity(folder: RunFolder) -> SearchedRun:
    """Write everything that is derived from the records of a search, finished or not.

    Raises:
        RunFolderError: The folder holds no search, or a file of it cannot be read.
    """
    metrics = metrics_of(folder)
    write_files(folder, metrics)
    return report_capacity(folder, metrics)


def report_capacity(folder: RunFolder, metrics: RunMetrics) -> SearchedRun:
    """Write what a search found, from its metrics, and its page; as ``finish_capacity``."""
    finding = measure_capacity(folder, metrics.levels)
    write_capacity(folder, finding)
    return SearchedRun(metrics, finding, write_capacity_report(finding, metrics, folder.root))


def search_capacity(
    scenario: Scenario,
    question: CapacityQuestion,
    settings: Settings,
    *,
    run_id: str | None = None,
    notify: Callable[[str], None] = lambda _text: None,
    environments: Mapping[str, TargetEnvironment] = MappingProxyType({}),
    wait_s: float = DEFAULT_WAIT_S,
) -> CapacityFinding:
    """Search for the greatest load that meets objectives, from servers to report.

    Raises:
        PerfPipelineError: Before the first level, when servers or target are unavailable; or after
            the report was written, when what the run kept on a server could not be removed.
    """
    run = capacity_run(
        scenario,
        question,
        settings,
        run_id=run_id,
        notify=notify,
        environments=environments,
        wait_s=wait_s,
    )
    with run:
        found = finish_capacity(run.load())
    file_finished(found.metrics, run.folder, settings, notify)
    return found.finding
