"""Has a level got worse since its baseline? By fixed limits, under the keys that users know.

Throughput, average latency and memory are compared by how many times worse they are: in a closed
loop throughput = N / latency, so that both say the same. The error rate is compared by percentage
points, for a baseline without errors has no multiple. ``metric_change.py`` says when a change
exceeds noise. Intervals and p-values are not computed here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from perf_pipeline.compat.metric_change import (
    ENOUGH_RUNS,
    SEVERITIES,
    ChangeScale,
    MetricChange,
    compare,
)
from perf_pipeline.config.wording import shown
from perf_pipeline.metrics.performance import PerformanceMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.compat.metric_change import Severity, Verdict

Side = PerformanceMetrics | Mapping[str, Any] | Sequence[PerformanceMetrics | Mapping[str, Any]]
Run = Mapping[str, Any]

TIMES_WORSE = (1.10, 1.25, 1.50)
"""Minor, major, critical: 10, 25, 50 % more latency or memory; 9, 20, 33 % less throughput."""

POINTS_WORSE = (1.0, 5.0, 10.0)
"""Likewise; an error rate of 5 % is acceptable at most, one above 10 % is poor."""

SIGMAS = 3.0

SCALES: dict[str, tuple[str, ChangeScale]] = {
    "throughput": ("throughput", ChangeScale(TIMES_WORSE, higher_is_better=True)),
    "latency": ("avg_latency", ChangeScale(TIMES_WORSE)),
    "memory": ("peak_memory_mb", ChangeScale(TIMES_WORSE)),
    "error_rate": ("error_rate", ChangeScale(POINTS_WORSE, in_points=True)),
}
"""Metric to the field of ``PerformanceMetrics`` and how it is compared."""

_NOT_NEEDED = "memory"

_ADVICE = {
    "throughput": "compare the bottleneck of the level in both reports.",
    "latency": "compare the kinds of workflow, and the waits, in both reports.",
    "memory": "look in the newer report whether it goes on growing, which is a leak.",
    "error_rate": "read the error classes and their examples in the newer report.",
}


def analyse_regression(baseline: Side, current: Side) -> dict[str, Any]:
    """Compare a level with its baseline.

    Args:
        baseline: Metrics of one run, or a sequence with one a repeat; as objects, or as the
            dictionaries of a result file.
        current: Likewise, with the same number in flight.

    Returns:
        - ``throughput_change_percent``, ``latency_change_percent`` (average),
          ``memory_change_percent`` (peak): between the medians of the sides; None where one was
          not measured, or the baseline is 0. ``error_rate_change_percent``: percentage points.
        - ``verdict``: ``regression`` if anything got worse; else ``unstable`` if anything may have;
          else ``improvement`` or ``no_change``. ``no_data`` unless every run is ``valid`` and has
          throughput, latency and error rate.
        - ``performance_regression_detected`` and ``regression_severity`` (none, minor, major,
          critical); both None where the verdict is ``unstable`` or ``no_data``.
        - ``validity`` and ``runs``: ``baseline`` and ``current`` to validities of their runs, and
          to their number.
        - ``recommendations``: sentences.

    Raises:
        TypeError: A side is not metrics.
        ValueError: A side has no run, or the numbers in flight or the workflows differ.
    """
    given = {"baseline": baseline, "current": current}
    sides = {name: _runs(name, side) for name, side in given.items()}
    _refuse_unlike(sides)
    changes = {metric: _change(metric, sides) for metric in SCALES}
    validity = {name: sorted({_validity(run) for run in runs}) for name, runs in sides.items()}
    verdict, severity = _judge(changes, validity)
    is_decided = verdict not in {"unstable", "no_data"}
    return {
        **{f"{metric}_change_percent": change.change for metric, change in changes.items()},
        "performance_regression_detected": verdict == "regression" if is_decided else None,
        "regression_severity": severity,
        "verdict": verdict,
        "validity": validity,
        "runs": {name: len(runs) for name, runs in sides.items()},
        "recommendations": list(_recommendations(changes, validity, sides)),
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


def _validity(run: Run) -> str:
    return str(run.get("validity", "unknown"))


def _change(metric: str, sides: Mapping[str, Sequence[Run]]) -> MetricChange:
    field, scale = SCALES[metric]
    before, after = ([run.get(field) for run in sides[name]] for name in ("baseline", "current"))
    return compare(scale, before, after, noise=_noise(metric, *sides.values()))


def _noise(metric: str, baseline: Sequence[Run], current: Sequence[Run]) -> float:
    """Return the worsening that chance explains, for as many workflows as ended.

    Three standard deviations of the difference: of means of exponential service times (about the
    widest there are) on a log scale, and of two binomial shares.
    """
    counts = [sum(run.get("samples") or 0 for run in side) for side in (baseline, current)]
    if metric == "memory":
        return 0.0  # not a mean over workflows
    if not all(counts):
        return math.inf
    rarity = sum(1 / count for count in counts)
    if metric != "error_rate":
        return math.exp(SIGMAS * math.sqrt(rarity))
    failed = sum(run.get("failed_workflows") or 0 for side in (baseline, current) for run in side)
    share = min(failed / sum(counts), 1.0)
    return SIGMAS * 100 * math.sqrt(share * (1 - share) * rarity)


def _judge(
    changes: Mapping[str, MetricChange], validity: Mapping[str, Sequence[str]]
) -> tuple[Verdict, Severity | None]:
    needed = [change.verdict for metric, change in changes.items() if metric != _NOT_NEEDED]
    if any(list(found) != ["valid"] for found in validity.values()) or "no_data" in needed:
        return "no_data", None
    verdicts = {change.verdict for change in changes.values()}
    if "regression" in verdicts:
        worst = max(SEVERITIES.index(change.severity) for change in changes.values())
        return "regression", SEVERITIES[worst]
    if "unstable" in verdicts:
        return "unstable", None
    return ("improvement" if "improvement" in verdicts else "no_change"), "none"


def _recommendations(
    changes: Mapping[str, MetricChange],
    validity: Mapping[str, Sequence[str]],
    sides: Mapping[str, Sequence[Run]],
) -> Iterator[str]:
    for name, found in validity.items():
        wrong = [validity for validity in found if validity != "valid"]
        if wrong:
            reasons = dict.fromkeys(
                str(why) for run in sides[name] for why in run.get("reasons", ())
            )
            why = f" ({'; '.join(reasons)})" if reasons else ""
            yield (
                f"The {name} side is {' and '.join(wrong)}{why}: measure it again; its numbers "
                "show neither a regression nor its absence."
            )
    for metric, change in changes.items():
        shown, unit = metric.replace("_", " "), "points" if SCALES[metric][1].in_points else "%"
        if change.verdict == "no_data":
            yield f"The {shown} was not compared: it was not measured in every run."
        elif change.verdict == "regression":
            by = "" if change.change is None else f" ({change.change:+.1f} {unit})"
            yield f"{change.severity}: the {shown} got worse{by}; {_ADVICE[metric]}"
        elif change.verdict == "unstable":
            by = "Whether" if change.change is None else f"{change.change:+.1f} {unit}: whether"
            yield (
                f"{by} the {shown} changed may be variation between runs; "
                "measure longer, on a quieter machine, or more often."
            )
    fewest = min(len(runs) for runs in sides.values())
    if fewest < ENOUGH_RUNS:
        runs = "One run" if fewest == 1 else f"{fewest} runs"
        yield (
            f"{runs} a side cannot separate noise from change: only a major one (1.25 times worse) "
            f"is called a regression. Repeat both sides at least {ENOUGH_RUNS} times (--repeats)."
        )
