"""Were connections exhausted, and is the target afterwards what it was before?

The load after the exhaustion is the same as the first one, on the same servers: what they did not
give back would show in it. Both are compared as ``regression.py`` compares two runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.compat.named_load import BEFORE, EXHAUSTION, RECOVERY
from perf_pipeline.compat.regression import analyse_regression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perf_pipeline.metrics.performance import PerformanceMetrics
    from perf_pipeline.metrics.types.server_use import ConnectionUse

Finding = dict[str, Any]

LASTING = 0.25
"""The smallest change that must not be missed: one level of each, measured once, shows no smaller
one, and servers that did not recover slow a target by more."""

_MEANS = {
    "no_change": "it has recovered",
    "improvement": "it has recovered",
    "regression": "it has not recovered: look for connections and locks that are still held",
    "unstable": "whether it has recovered is unclear: measure longer (test_duration)",
    "no_data": "whether it has recovered is unknown, since one of the two is no measurement",
}


def judge_recovery(measured: Mapping[str, PerformanceMetrics]) -> Finding | None:
    """Compare the load after the exhaustion with the same load before it.

    Args:
        measured: Name of the load to its metrics.

    Returns:
        What ``analyse_regression`` returns; None where one of the loads was not asked for.
    """
    if not {BEFORE, RECOVERY} <= set(measured):
        return None
    return analyse_regression(measured[BEFORE], measured[RECOVERY], matters=LASTING)


def recovery_sentences(
    uses: Mapping[str, tuple[ConnectionUse, ...]], finding: Finding | None
) -> Iterator[str]:
    """Yield whether each pool was exhausted, and whether the target has recovered.

    Args:
        uses: Name of the load to its use of connections.
        finding: What ``judge_recovery`` returned.
    """
    for use in uses.get(EXHAUSTION, ()):
        peak = "an unknown number" if use.peak is None else use.peak
        is_exhausted = use.peak is not None and use.peak >= use.limit
        means = "exhausted" if is_exhausted else "not exhausted"
        yield f"{EXHAUSTION}: {use.server}: {peak} of {use.limit} connections at most, {means}"
    if finding is not None:
        yield f"{RECOVERY} against {BEFORE}: {finding['verdict']}, {_MEANS[finding['verdict']]}"
        yield from (f"  {sentence}" for sentence in finding["recommendations"])
