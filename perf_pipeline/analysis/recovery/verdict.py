"""Did a target come back from a failure: recovered, metastable, or invalid because unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.fault_log import MIN_EVIDENCE_SHARE

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import (
        Backlog,
        Estimate,
        FaultVerdict,
        ServiceBaseline,
    )
    from perf_pipeline.samples.fault_log import FaultRecord

HOLD_S = 10.0
LONG_HOLD_S = 30.0
"""How long service must be as before; the long one where it is watched for twice as long."""

METASTABLE_AFTER_S = 2 * HOLD_S
"""Service that is still worse after a shorter time may only be slow to come back."""


def hold_s(watched_s: float) -> float:
    """Return how long service must be as before, where it is watched for so long."""
    return LONG_HOLD_S if watched_s >= 2 * LONG_HOLD_S else HOLD_S


def not_proven(record: FaultRecord, gone_ns: int | None) -> str:
    """Return why a failure is not proven to have been in effect, and gone; empty if it is.

    Args:
        record: Its log.
        gone_ns: When it was gone, with all that it overlapped; None if it never was.
    """
    if not record.is_possible:
        return record.reason
    if record.injecting_ns is None:
        why = record.reason or "the level ended before, or its injector died"
        return f"it was never injected: {why}"
    if record.reason:
        return f"it failed: {record.reason}"
    if record.evidence_share < MIN_EVIDENCE_SHARE:
        return (
            f"it was proven to be in effect for {100 * record.evidence_share:.1f} % of its "
            f"window (at least {100 * MIN_EVIDENCE_SHARE:g} %): what the target did says nothing "
            "about it; a longer duration gives its begin less weight"
        )
    if gone_ns is None:
        return (
            "it was never seen to be gone, or one at the same time was not, so nothing is known of "
            "the time after it"
        )
    return ""


def not_comparable(baseline: ServiceBaseline | None, watched_s: float) -> str:
    """Return why it cannot be seen whether service came back; empty if it can."""
    if baseline is None:
        return "no workflow arrived before the first failure, so there is nothing to compare with"
    if baseline.why_not:
        return baseline.why_not
    if watched_s < HOLD_S:
        return (
            f"service was watched for {watched_s:.3g} s after it was gone, and must be as before "
            f"for {HOLD_S:g} s to have recovered: let the level, or the time to the next failure, "
            "be longer"
        )
    return ""


def verdict_of(
    recovered: Estimate | None, backlog: Backlog | None, watched_s: float, late_bad_share: float
) -> tuple[FaultVerdict, str]:
    """Judge a failure that was proven to be in effect and gone.

    Args:
        recovered: When service was as before; None if it never was.
        backlog: Workflows in waiting; None in a closed loop.
        watched_s: For how long service was watched.
        late_bad_share: Share that was not served as before in the last third of that time.
    """
    if recovered is not None:
        if not recovered.value:
            return "recovered", "service was as before from the moment it was gone"
        return "recovered", f"service was as before {recovered.value:.3g} s after it was gone"
    what = f"{late_bad_share:.0%} of the workflows of the last third of that time were not served"
    if backlog is not None and backlog.is_shrinking:
        return "invalid", (
            f"it was still recovering when the {watched_s:.3g} s of watching ended: its backlog "
            "shrank. Let the level be longer"
        )
    if watched_s < METASTABLE_AFTER_S:
        return "invalid", (
            f"service was not as before within the {watched_s:.3g} s that were watched, too few "
            f"to tell slow from never ({METASTABLE_AFTER_S:g} s); {what} as before"
        )
    return "metastable", (
        f"the failure was gone, and service did not come back within {watched_s:.3g} s; "
        f"{what} as before"
    )
