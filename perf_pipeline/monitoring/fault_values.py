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
    """Return the state of each failure in each place, whose windows come one after the other.

    Args:
        records: The windows of the level that is played.
        now_ns: CLOCK_MONOTONIC.
        wall_s: CLOCK_MONOTONIC to seconds of the epoch.
    """
    steps: Counter[tuple[str, str, str]] = Counter()
    places: dict[tuple[str, str], list[FaultRecord]] = {}
    for one in records:
        place = (one.window.kind, one.window.server)
        places.setdefault(place, []).append(one)
        steps.update((*place, step) for step in _STEPS if getattr(one, f"{step}_ns") is not None)
        if one.reason:
            steps[(*place, "failed" if one.is_possible else "not_possible")] += 1
    for labels, windows in places.items():
        yield from _in_one_place(labels, windows, now_ns, wall_s)
    if records:
        pending = sum(_is_pending(one, now_ns) for one in records)
        yield Sample("loadtest_fault_pending_rollbacks", (), pending)
    for step_labels, count in sorted(steps.items()):
        yield Sample("loadtest_fault_transitions_total", step_labels, count)


def _in_one_place(
    labels: tuple[str, str],
    windows: Sequence[FaultRecord],
    now_ns: int,
    wall_s: Callable[[int], float],
) -> Iterator[Sample]:
    """Return whether any window is active, the evidence of the last one, and the last end."""
    is_active = any(one.injecting_ns is not None and one.gone_ns is None for one in windows)
    yield Sample("loadtest_fault_active", labels, float(is_active))
    injected = [(one.injecting_ns, one) for one in windows if one.injecting_ns is not None]
    if injected:
        began_ns, last = max(injected, key=lambda one: one[0])
        until_ns = last.undoing_ns or now_ns
        ratio = last.evidence_ns(until_ns) / max(1, until_ns - began_ns)
        yield Sample("loadtest_fault_evidence_ratio", labels, min(1.0, ratio))
    gone_ns = [one.gone_ns for one in windows if one.gone_ns is not None]
    if gone_ns:
        yield Sample("loadtest_fault_ended_timestamp_seconds", labels, wall_s(max(gone_ns)))


def _is_pending(record: FaultRecord, now_ns: int) -> bool:
    """Return whether a failure should be over and is not known to be gone."""
    if record.injecting_ns is None or record.gone_ns is not None:
        return False
    return now_ns > record.injecting_ns + round(record.window.duration_s * 1e9)
