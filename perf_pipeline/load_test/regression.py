"""Has a level got worse since its baseline? By fixed limits, under the keys that users know.

Throughput, average latency and memory are compared by how many times better or worse they are:
in a closed loop throughput = N / latency, so that both say the same. The error rate is compared
by percentage points: a baseline without errors has no multiple.

How much runs differ by themselves decides what a difference means. Three runs a side show it: a
change is called one only if all runs of one side lie beyond all of the other's. Fewer do not show
it, so that only a major change is called one, and a minor one is ``unstable``. With a spread of
5 % between like runs that calls fewer than one like pair in a hundred a regression
(tests/known_truth/test_regression_truths.py). Intervals and p-values are not computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.metrics.performance import PerformanceMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

Verdict = Literal["regression", "improvement", "no_change", "unstable", "no_data"]
Severity = Literal["none", "minor", "major", "critical"]
Side = PerformanceMetrics | Mapping[str, Any] | Sequence[PerformanceMetrics | Mapping[str, Any]]

SEVERITIES: tuple[Severity, ...] = ("none", "minor", "major", "critical")
TIMES_WORSE = (1.10, 1.25, 1.50)
"""From which on a change is minor, major, critical: 10, 25, 50 % more latency or memory, which is
9, 20, 33 % less throughput."""

POINTS_WORSE = (1.0, 5.0, 10.0)
"""The same for the error rate: 5 % is what is acceptable at most, 10 % is poor."""

ENOUGH_RUNS = 3
_MINOR, _MAJOR = 0, 1

_METRICS: dict[str, tuple[str, str]] = {
    "throughput": ("throughput_change_percent", "throughput"),
    "latency": ("latency_change_percent", "avg_latency"),
    "memory": ("memory_change_percent", "peak_memory_mb"),
    "error rate": ("error_rate_change_percent", "error_rate"),
}
_NEEDED = ("throughput", "latency", "error rate")

_ADVICE = {
    "throughput": "compare the bottleneck of the level in both reports",
    "latency": "compare the bottleneck of the level and the slowest families in both reports",
    "memory": "compare memory over time in both reports; growth that goes on is a leak",
    "error rate": "read the error classes and their examples in the newer report",
}


def analyse_regression(baseline: Side, current: Side) -> dict[str, Any]:
    """Compare a level with its baseline.

    Args:
        baseline: Metrics of one run, or a sequence with one a repeat; as objects, or as the
            dictionaries of a result file.
        current: Likewise, of the same number in flight.

    Returns:
        ``throughput_change_percent``, ``latency_change_percent`` (of the average),
        ``memory_change_percent`` (of the peak): between the medians of the two sides; None where
        one was not measured or the baseline is 0. ``error_rate_change_percent``: percentage points
        between them. ``verdict``: ``regression`` if anything got worse, else ``unstable`` if
        anything may have, else ``improvement`` or ``no_change``; ``no_data`` unless all runs are
        ``valid`` and have throughput, latency and error rate. ``performance_regression_detected``
        and ``regression_severity`` (none, minor, major, critical): both None where the verdict is
        ``unstable`` or ``no_data``, for doubt is neither a regression nor none. ``validity``: by
        side, each word once. ``runs``: by side. ``recommendations``: sentences.

    Raises:
        ValueError: A side is empty, or the numbers in flight differ.
    """
    sides = {"baseline": _plain(baseline, "baseline"), "current": _plain(current, "current")}
    _refuse_unlike(sides)
    validity = {name: sorted({_validity(run) for run in runs}) for name, runs in sides.items()}
    valid = all(words == ["valid"] for words in validity.values())
    compared = {name: _compare(name, *_values(sides, field)) for name, (_, field) in _METRICS.items()}
    if valid and all(compared[name].verdict != "no_data" for name in _NEEDED):
        verdict, severity = _overall(list(compared.values()))
    else:
        verdict, severity = "no_data", None
    return {
        **{key: compared[name].change for name, (key, _) in _METRICS.items()},
        "performance_regression_detected": _detected(verdict),
        "regression_severity": severity,
        "verdict": verdict,
        "validity": validity,
        "runs": {name: len(runs) for name, runs in sides.items()},
        "recommendations": _recommendations(verdict, validity, sides, compared),
    }
