"""Explains a comparison of finished runs: chooses the level, and plays it again on both sides."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from perf_pipeline.analysis.profile.profile import Sampling, no_profile
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.explaining.code_of_run import NotPlayedAgainError
from perf_pipeline.explaining.explain import EFFORT, Effort, explain, stored
from perf_pipeline.explaining.side_of_run import side_of_run
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.types.comparison import ComparedSide, Comparison
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.profile import DifferentialProfile
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

_SEVERITIES = ("critical", "major", "minor", "none")


def explain_comparison(
    comparison: Comparison,
    settings: Settings,
    *,
    notify: Callable[[str], None] = lambda _text: None,
    effort: Effort = EFFORT,
) -> DifferentialProfile:
    """Explain a comparison of runs whose folders are in the results folder.

    Takes one or two minutes. The page of the comparison, if it is written afterwards, shows the
    answer and leads to the page of the profile.

    Args:
        comparison: The comparison.
        settings: Where things are.
        notify: Called with each line that people should see.
        effort: How much is sampled.

    Returns:
        The profile, which is stored as well; with ``problem`` where a side cannot be played again
        as it was, or another load run went on for too long.
    """
    names = comparison.baseline.name, comparison.candidate.name
    try:
        runs = [_newest(side, settings) for side in (comparison.baseline, comparison.candidate)]
        levels = _level_of_both(levels_by_weight(comparison), runs)
        with ExitStack() as stack:
            baseline, candidate = (
                stack.enter_context(side_of_run(name, run, level, settings, notify))
                for name, run, level in zip(names, runs, levels, strict=True)
            )
            return explain(
                comparison.comparison_id,
                baseline,
                candidate,
                settings,
                in_flight=levels[-1].concurrency,
                notify=notify,
                effort=effort,
            )
    except PerfPipelineError as error:
        sampling = Sampling(comparison.comparison_id, in_flight=0, asked_in_flight=0)
        return stored(no_profile(sampling, names, str(error)), settings)


def levels_by_weight(comparison: Comparison) -> list[str]:
    """Return the labels of the compared levels, those with the worst regressions first."""
    worst = sorted(
        comparison.changes,
        key=lambda one: (
            one.verdict != "regression",
            _SEVERITIES.index(one.severity),
            bool(one.family),
        ),
    )
    return list(dict.fromkeys(change.level for change in worst))


def _newest(side: ComparedSide, settings: Settings) -> RunMetrics:
    if not side.runs:
        raise NotPlayedAgainError(f"{side.name} names no run, so it cannot be played again")
    folder = settings.results_dir / side.runs[-1]
    if not folder.is_dir():
        raise NotPlayedAgainError(
            f"{side.name}: run {side.runs[-1]} is not in {settings.results_dir}. A result file or "
            "an archive does not say enough to play it again; unpack the archive there first"
        )
    return metrics_of(RunFolder(folder))


def _level_of_both(labels: Sequence[str], runs: Sequence[RunMetrics]) -> list[LevelMetrics]:
    """Return the first level that every run has."""
    for label in labels:
        found = [
            next((one for one in run.levels if (one.role, one.label) == ("level", label)), None)
            for run in runs
        ]
        levels = [one for one in found if one is not None]
        if len(levels) == len(runs):
            return levels
    raise NotPlayedAgainError("no level of the comparison was measured on both sides")
