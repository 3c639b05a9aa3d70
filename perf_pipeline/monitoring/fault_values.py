"""What the injector has written so far about the failures of a level."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from perf_pipeline.monitoring.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perf_pipeline.samples.fault_log import FaultRecord

_STEPS = ("injecting", "in_effect", "undoing", "gone")


def fault_values(
    records: Sequence[FaultRecord], now_ns: int, wall_s: Callable[[int], float]
) -> Iterator[Sample]:
    """Return the state of each failure.

    Args:
        records: The windows of the level that is played.
        now_ns: CLOCK_MONOTONIC.
        wall_s: CLOCK_MONOTONIC to seconds of the epoch.
    """
    steps: Counter[tuple[str, str, str]] = Counter()
    pending = 0
    for one in records:
        labels = (one.window.kind, one.window.server)
        steps.update((*labels, step) for step in _STEPS if getattr(one, f"{step}_ns") is not None)
        if one.reason:
            steps[(*labels, "failed" if one.is_possible else "not_possible")] += 1
        is_active = one.injecting_ns is not None and one.gone_ns is None
        yield Sample("loadtest_fault_active", labels, float(is_active))
        if one.injecting_ns is not None:
            until_ns = one.undoing_ns or now_ns
            ratio = one.evidence_ns(until_ns) / max(1, until_ns - one.injecting_ns)
            yield Sample("loadtest_fault_evidence_ratio", labels, min(1.0, ratio))
            over_ns = one.injecting_ns + round(one.window.duration_s * 1e9)
            pending += one.gone_ns is None and now_ns > over_ns
        if one.gone_ns is not None:
            ended_s = wall_s(one.gone_ns)
            yield Sample("loadtest_fault_ended_timestamp_seconds", labels, ended_s)
    if records:
        yield Sample("loadtest_fault_pending_rollbacks", (), pending)
    for step_labels, count in sorted(steps.items()):
        yield Sample("loadtest_fault_transitions_total", step_labels, count)
