"""A run that compares two arms: their levels take turns until the effects are known well enough.

What changes while the run goes on (temperature, neighbours, the servers' data) changes both arms of
a pair alike, and the order ABBA takes a steady drift out of the mean. Everything else is as in any
run: the same servers, worker processes, journals, metrics and report. The manifest says what is
compared, so that the comparison can be made again from the metrics.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.analysis.comparison.interleaved import (
    arm_of,
    compare_arms,
    deciding_values,
    metrics_of_arm,
    widths_text,
)
from perf_pipeline.analysis.comparison.sequential import is_narrow
from perf_pipeline.analysis.level import measure_level
from perf_pipeline.analysis.measure import context_of
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.config.interleaved.question import scenario_of_arm
from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.explaining.explain import ExplainedSide, explain
from perf_pipeline.host.scratch import scratch_folder
from perf_pipeline.loadgen.course import stopped_at
from perf_pipeline.loadgen.environment.revisions import checked_out, with_commit
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.metrics.comparison_file import (
    comparison_path,
    read_comparison,
    write_comparison,
)
from perf_pipeline.metrics.metrics_file import write_level_metrics
from perf_pipeline.report.comparison.files import comparison_files, write_comparison_pages
from perf_pipeline.report.run.files import write_report
from perf_pipeline.run import Run
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.run_folder import new_run_id
from perf_pipeline.scenario_run import file_finished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.config.interleaved.arms import AbQuestion, ArmName
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.profile import DifferentialProfile
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.manifest import Stopped
    from perf_pipeline.samples.run_folder import RunFolder

ORDER: tuple[tuple[ArmName, ArmName], ...] = (("a", "b"), ("b", "a"))
"""The order of the arms in the pairs, in turn: ABBA."""

HOPELESS_PAIRS = 6
"""The run ends when so many pairs have shown nothing that can be compared."""


class ComparedRun(NamedTuple):
    """The result of an interleaved comparison.

    Attributes:
        metrics: What was measured at its levels.
        comparison: Of the two arms.
        file: Where the comparison is stored.
        page: Its page.
    """

    metrics: RunMetrics
    comparison: Comparison
    file: Path
    page: Path


class AbCourse:
    """The levels of two arms in turn, until the intervals are narrow or the budget is spent."""

    def __init__(
        self,
        question: AbQuestion,
        arms: Mapping[ArmName, Scenario],
        notify: Callable[[str], None],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a comparison.

        Args:
            question: What is compared.
            arms: What each arm plays: one load.
            notify: Called with a line about each pair.
            clock_s: A clock that does not go back.
        """
        self._question = question
        self._arms = arms
        self._notify = notify
        self._clock_s = clock_s
        self._left_out: tuple[str, ...] = ()

    @property
    def scenario(self) -> Scenario:
        """The scenario of the baseline."""
        return self._arms["a"]

    @property
    def searched(self) -> None:
        """Nothing is searched for."""
        return None

    @property
    def compared(self) -> AbQuestion:
        """What is compared, so that it can be done again from the records alone."""
        return self._question

    def scenario_of(self, plan: LevelPlan) -> Scenario:
        """Return the scenario of the arm that a level belongs to."""
        return self._arms[arm_of(plan.label)]

    def plans(self, left_out: tuple[str, ...]) -> list[LevelPlan]:
        """Return the first pair."""
        self._left_out = left_out
        return [self._plan_of(name, 0, index) for index, name in enumerate(ORDER[0])]

    def levels(self, plans: list[LevelPlan], folder: RunFolder) -> Iterator[LevelPlan]:
        """Yield the levels of one pair after the other."""
        context = context_of(read_manifest(folder))
        measured: list[LevelMetrics] = []
        plans.clear()
        began_s = self._clock_s()
        for pair in range(self._question.max_pairs):
            for name in ORDER[pair % len(ORDER)]:
                if plans:
                    time.sleep(plans[-1].phases.cooldown_s)
                plan = self._plan_of(name, pair, len(plans))
                plans.append(plan)
                yield plan
                path = folder.root / "levels" / plan.folder_name
                measured.append(measure_level(path, context))
                write_level_metrics(path, measured[-1])
            if why := self._enough(measured, pair + 1, self._clock_s() - began_s):
                self._notify(f"pair {pair + 1}: {why}")
                return

    def stopped(self, plan: LevelPlan, log: LevelLog, plans: Sequence[LevelPlan]) -> Stopped | None:
        """Return why the run stops after this level; None if it goes on."""
        return stopped_at(plan, log, plans)

    def _enough(self, measured: Sequence[LevelMetrics], pairs: int, passed_s: float) -> str:
        """Return why no further pair is played; empty if one is. Effects are not looked at."""
        question = self._question
        values = deciding_values(measured)
        asked = question.bisected_metric
        deciding = {asked: values[asked]} if asked in values else values
        if is_narrow(list(deciding.values()), question.width):
            return f"every interval is narrow enough (+-{100 * question.width:g} %)"
        usable = max((len(one.baseline) for one in values.values()), default=0)
        if pairs >= HOPELESS_PAIRS and not usable:
            return f"none of {pairs} pairs can be compared: see the validity of the levels"
        if passed_s * (pairs + 1) / pairs > question.budget_s:
            return f"the budget of {question.budget_s:g} s does not allow another pair"
        if pairs == question.max_pairs:
            return "no further pair is allowed"
        self._notify(f"pair {pairs}: {widths_text(values)}")
        return ""

    def _plan_of(self, name: ArmName, pair: int, index: int) -> LevelPlan:
        scenario = self._arms[name]
        processes = processes_of(scenario, read_machine_limits())
        plan = plan_levels(scenario, processes, self._left_out)[0]
        return replace(plan, index=index, label=f"{plan.label}-{name}", repeat=pair)


@contextmanager
def ab_run(
    scenario: Scenario,
    question: AbQuestion,
    settings: Settings,
    *,
    run_id: str | None = None,
    notify: Callable[[str], None] = lambda _text: None,
    environments: Mapping[str, TargetEnvironment] = MappingProxyType({}),
    wait_s: float = DEFAULT_WAIT_S,
) -> Iterator[Run]:
    """Prepare a run that plays both arms; revisions of the user's code are checked out meanwhile.

    Args:
        scenario: What its levels play, but for the arms; checked.
        question: What is compared.
        settings: Where things are.
        run_id: Its id; None for a new one.
        notify: Called with each line that people should see while they wait.
        environments: As of ``Run``.
        wait_s: Likewise.

    Yields:
        The run; nothing is started.

    Raises:
        ScenarioError: A revision does not exist, or cannot be checked out.
    """
    run_id = run_id or new_run_id(datetime.now(UTC))
    a, b = (with_commit(arm, scenario, settings.search_path) for arm in (question.a, question.b))
    question = replace(question, a=a, b=b)
    with ExitStack() as stack:
        arms = stack.enter_context(_played_arms(scenario, question, settings, run_id))
        course = AbCourse(question, arms, notify)
        run = Run(
            course.scenario,
            settings,
            run_id=run_id,
            notify=notify,
            course=course,
            environments=environments,
            wait_s=wait_s,
        )
        yield stack.enter_context(run)


@contextmanager
def _played_arms(
    scenario: Scenario, question: AbQuestion, settings: Settings, run_id: str
) -> Iterator[dict[ArmName, Scenario]]:
    """Yield what each arm plays; revisions of the user's code are checked out meanwhile."""
    with ExitStack() as stack:
        arms: dict[ArmName, Scenario] = {}
        code: Path | None = None
        if question.has_revision:
            code = stack.enter_context(scratch_folder(settings.temp_dir, run_id))
        for arm in (question.a, question.b):
            played = scenario_of_arm(scenario, arm)
            if code is not None:
                folder = code / arm.name
                played = stack.enter_context(checked_out(arm, played, folder, settings.search_path))
            arms[arm.name] = played
        yield arms


def explain_ab(
    found: ComparedRun,
    scenario: Scenario,
    question: AbQuestion,
    settings: Settings,
    *,
    notify: Callable[[str], None],
    environments: Mapping[str, TargetEnvironment],
) -> DifferentialProfile:
    """Play both arms again for a minute or two, and say which functions' CPU time moved.

    The profile is stored; ``finish_ab`` writes the page of the comparison with it.

    Args:
        found: The comparison that is explained.
        scenario: As of ``ab_run``, and so are the others.
        question: With revisions as they were asked for.
        settings: Where things are.
        notify: Called with each line that people should see.
        environments: As of ``Run``.

    Raises:
        PerfPipelineError: A revision, a server or a target is unavailable, or another load run
            went on for too long.
    """
    comparison = found.comparison
    a, b = (with_commit(arm, scenario, settings.search_path) for arm in (question.a, question.b))
    question = replace(question, a=a, b=b)
    scratch_id = new_run_id(datetime.now(UTC))
    with _played_arms(scenario, question, settings, scratch_id) as arms:
        before, after = arms["a"], arms["b"]
        return explain(
            comparison.comparison_id,
            ExplainedSide(comparison.baseline.name, before, environments.get(before.target)),
            ExplainedSide(comparison.candidate.name, after, environments.get(after.target)),
            settings,
            in_flight=after.concurrency[0] if after.concurrency else after.arrivals[0].slots,
            notify=notify,
        )


def finish_ab(folder: RunFolder) -> ComparedRun:
    """Write everything that is derived from the records of a comparison, finished or not.

    Raises:
        RunFolderError: The folder holds no interleaved comparison, or a file of it cannot be read.
    """
    metrics, results = metrics_of(folder), folder.root.parent
    write_report(metrics, folder.root)
    comparison = compare_arms(metrics)
    file = write_comparison(results, comparison)
    a, b = (metrics_of_arm(metrics, name) for name in ORDER[0])
    page = write_comparison_pages(results, comparison, [a], [b]).html
    return ComparedRun(metrics, comparison, file, page)


def open_ab(folder: RunFolder) -> ComparedRun:
    """Return the comparison of a run; it is made now unless the run has done so itself.

    Raises:
        RunFolderError: As ``finish_ab``.
    """
    results = folder.root.parent
    file = comparison_path(results, folder.run_id)
    if not file.exists():
        return finish_ab(folder)
    page = comparison_files(results, folder.run_id).html
    return ComparedRun(metrics_of(folder), read_comparison(file), file, page)


def file_compared(
    found: ComparedRun, folder: RunFolder, settings: Settings, notify: Callable[[str], None]
) -> None:
    """File the run and its verdicts in the catalogue; what prevents it is notified."""
    from perf_pipeline.catalogue.filing import file_comparison  # noqa: PLC0415 - SQLAlchemy: 0.2 s

    file_finished(found.metrics, folder, settings, notify)
    file_comparison(found.comparison, folder.root.parent, settings.catalogue_url, notify)


def compare_interleaved(
    scenario: Scenario,
    question: AbQuestion,
    settings: Settings,
    *,
    run_id: str | None = None,
    notify: Callable[[str], None] = lambda _text: None,
    environments: Mapping[str, TargetEnvironment] = MappingProxyType({}),
    wait_s: float = DEFAULT_WAIT_S,
) -> Comparison:
    """Compare two arms, from servers to report.

    Raises:
        PerfPipelineError: Before the first level, when servers or a target are unavailable; or
            after the report was written, when what the run kept on a server could not be removed.
    """
    prepared = ab_run(
        scenario,
        question,
        settings,
        run_id=run_id,
        notify=notify,
        environments=environments,
        wait_s=wait_s,
    )
    with prepared as run:
        found = finish_ab(run.load())
    file_compared(found, run.folder, settings, notify)
    return found.comparison
