"""Has a level got worse since its baseline? Under the keys that users know.

The comparison itself is that of ``perf-pipeline compare`` (``analysis/comparison``): this gives its
result the names of the earlier framework. There ``performance_regression_detected`` is true or
false, so doubt is false here as well, and then ``verdict`` and ``warnings`` say that nothing is
ruled out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.comparison.compare import compare_sides, overall
from perf_pipeline.analysis.comparison.differences import NotComparableError, differences_of
from perf_pipeline.analysis.comparison.judge import SEVERITIES
from perf_pipeline.analysis.comparison.result_entries import label_of, side_of_entries
from perf_pipeline.config.wording import shown
from perf_pipeline.metrics.performance import PerformanceMetrics

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Comparison, ComparisonVerdict

Metrics = PerformanceMetrics | Mapping[str, Any]
Side = Metrics | Sequence[Metrics]
Run = Mapping[str, Any]

_FIELDS = {
    "throughput": "throughput",
    "latency": "avg_latency",
    "memory": "peak_memory_mb",
    "error_rate": "error_rate",
}
_IN_POINTS = "error_rate"
_DOUBT: Mapping[ComparisonVerdict, str] = {
    "unstable": "Doubt: a regression is neither shown nor ruled out; read the recommendations.",
    "no_data": "No data: nothing could be compared, so a regression is not ruled out.",
}


def analyse_regression(
    baseline: Side, current: Side, *, despite: Collection[str] = (), matters: float = 0.0
) -> dict[str, Any]:
    """Compare a level with its baseline.

    Args:
        baseline: Metrics of one run, or a sequence with one a repeat; as objects, or as the
            dictionaries of a result file.
        current: Likewise, with the same number in flight.
        despite: What may differ all the same, where both sides say how they were measured.
        matters: The smallest relative change that must not be missed; at least 0.05.

    Returns:
        - ``throughput_change_percent``, ``latency_change_percent`` (average),
          ``memory_change_percent`` (peak): between the medians of the sides; None where one was
          not measured, or the baseline is 0. ``error_rate_change_percent``: percentage points.
        - ``verdict``: ``regression`` if anything got worse; else ``unstable`` if throughput, CPU
          time or errors may have; else ``improvement`` or ``no_change``; ``no_data`` where nothing
          could be compared.
        - ``performance_regression_detected``: whether the verdict is ``regression``;
          ``regression_severity``: none, minor, major or critical.
        - ``warnings``: sentences where the verdict is doubt; else empty.
        - ``validity`` and ``runs``: ``baseline`` and ``current`` to validities of their runs, and
          to their number.
        - ``recommendations``: sentences.
        - ``changes``: each metric with effect, interval and verdict.

    Raises:
        TypeError: A side is not metrics.
        ValueError: A side has no run, or the numbers in flight, the workflows, or the conditions
            of the sides differ.
    """
    given = {"baseline": baseline, "current": current}
    sides = {name: _runs(name, side) for name, side in given.items()}
    _refuse_unlike(sides)
    before, after = (side_of_entries(name, _labelled(runs)) for name, runs in sides.items())
    if all(one for side in (before, after) for one in side.conditions):
        try:
            differences = differences_of(before, after, despite=despite)
        except NotComparableError as error:
            raise ValueError(str(error)) from error
    else:
        differences = ()
    found = compare_sides(
        before,
        after,
        comparison_id=after.runs[-1] if after.runs else "",
        differences=differences,
        matters=matters,
    )
    return known_keys(found, found.changes[0].level if found.changes else "", sides)


def known_keys(
    comparison: Comparison, label: str, sides: Mapping[str, Sequence[Run]]
) -> dict[str, Any]:
    """Return what a comparison says of one level, as ``analyse_regression`` does.

    Args:
        comparison: Of one level or several.
        label: Of the level.
        sides: ``baseline`` and ``current`` to the objects of that level; may be empty.
    """
    changes = [change for change in comparison.changes if change.level == label]
    is_open = any(run.get("open_loop") for runs in sides.values() for run in runs)
    verdict = overall(changes, {label} if is_open else ())
    worst = max((SEVERITIES.index(change.severity) for change in changes), default=0)
    return {
        **{f"{metric}_change_percent": _change(metric, sides) for metric in _FIELDS},
        "performance_regression_detected": verdict == "regression",
        "regression_severity": SEVERITIES[worst],
        "verdict": verdict,
        "warnings": [_DOUBT[verdict]] if verdict in _DOUBT else [],
        "validity": {
            name: sorted({str(run.get("validity", "unknown")) for run in runs})
            for name, runs in sides.items()
        },
        "runs": {name: len(runs) for name, runs in sides.items()},
        "recommendations": list(comparison.recommendations),
        "changes": [
            {
                "metric": one.metric,
                "family": one.family,
                "effect": one.effect,
                "interval": None if one.low is None else [one.low, one.high],
                "p": one.p,
                "verdict": one.verdict,
                "severity": one.severity,
            }
            for one in changes
        ],
    }


def _runs(name: str, side: Side) -> list[Run]:
    runs = [side] if isinstance(side, PerformanceMetrics | Mapping) else side
    if isinstance(runs, str | bytes) or not isinstance(runs, Sequence):
        runs = [runs]
    wrong = [run for run in runs if not isinstance(run, PerformanceMetrics | Mapping)]
    if wrong:
        raise TypeError(
            f"the {name} has {shown(wrong[0])}, which is no metrics; give PerformanceMetrics, "
            "the dictionaries of a result file (json.load), or a list of them, one a run"
        )
    return [run.to_dict() if isinstance(run, PerformanceMetrics) else run for run in runs]


def _refuse_unlike(sides: Mapping[str, Sequence[Run]]) -> None:
    for name, runs in sides.items():
        if not runs:
            raise ValueError(f"the {name} has no run: give metrics of at least one")
    levels = {
        name: sorted({run.get("concurrency") for run in sides[name]}, key=str) for name in sides
    }
    if levels["baseline"] != levels["current"] or len(levels["baseline"]) > 1:
        raise ValueError(
            f"the numbers in flight differ: {levels['baseline']} in the baseline, "
            f"{levels['current']} now; compare level by level"
        )
    kinds = {name: {tuple(run.get("workflows") or ()) for run in sides[name]} for name in sides}
    known = {name: found - {()} for name, found in kinds.items()}  # older files do not say it
    if all(known.values()) and known["baseline"] != known["current"]:
        before, now = (" and ".join(sorted(map(", ".join, known[name]))) for name in sides)
        raise ValueError(
            f"the workflows differ: {before} in the baseline, {now} now; compare like with like"
        )


def _labelled(runs: Sequence[Run]) -> list[Run]:
    """Return the runs of one level under one label: an object of a run has none, one of a file has.

    Both sides have the same number in flight by now.
    """
    return [{**run, "label": label_of({"concurrency": run.get("concurrency")})} for run in runs]


def _change(metric: str, sides: Mapping[str, Sequence[Run]]) -> float | None:
    values: list[list[Any]] = [
        [run.get(_FIELDS[metric]) for run in runs] for runs in sides.values()
    ]
    if any(not side or None in side for side in values):
        return None
    before, after = (median(float(value) for value in side) for side in values)
    if metric == _IN_POINTS:
        return after - before
    return 100.0 * (after - before) / before if before else None
