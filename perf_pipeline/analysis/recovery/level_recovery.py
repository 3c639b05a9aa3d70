"""The failures of a load level, each with what it did and how the target came back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.recovery.arrivals import arrivals_of
from perf_pipeline.analysis.recovery.baseline import baseline_of
from perf_pipeline.analysis.recovery.fault_recovery import ServedLevel, fault_recovery
from perf_pipeline.analysis.recovery.lost_service import service_series
from perf_pipeline.analysis.recovery.retries import NOT_COUNTED, attempts_of
from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.metrics.types.fault.recovery import LevelRecovery
from perf_pipeline.samples.fault_log import MIN_EVIDENCE_SHARE, FaultRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.metrics.records.stored_level import StoredLevel
    from perf_pipeline.metrics.types.fault.recovery import FaultVerdict
    from perf_pipeline.metrics.types.server_use import ServerTraffic
    from perf_pipeline.metrics.types.validity import Validity


def level_recovery(
    stored: StoredLevel,
    records: Sequence[FaultRecord],
    *,
    window_ns: tuple[int, int],
    go_ns: int,
    slos: Sequence[Slo] = (),
    is_control: bool = False,
) -> LevelRecovery | None:
    """Return what the failures of a level did; None for a level without any.

    Args:
        stored: What the level has stored.
        records: Its failures, in the order of the scenario.
        window_ns: Begin and end of its steady phase, CLOCK_MONOTONIC.
        go_ns: Its start.
        slos: The objectives of the run.
        is_control: Nothing was injected: ``records`` are windows of another level.
    """
    if not records:
        return None
    plan: dict[str, Any] = stored.records.log["plan"]
    felt = [_felt_from_ns(one, one.injecting_ns) for one in records if one.injecting_ns is not None]
    arrivals = arrivals_of(stored.records.frame, plan["loop"])
    start_ns, end_ns = window_ns
    first_ns = max(start_ns, min(felt)) if felt else end_ns
    before_ns = (start_ns, min(first_ns, end_ns))
    baseline = baseline_of(arrivals, before_ns, go_ns, _objective(slos, plan))
    attempts = attempts_of(stored.steps, arrivals)
    level = ServedLevel(plan["loop"], go_ns, arrivals, before_ns, baseline, attempts)
    faults = []
    for record in records:
        gone_ns, until_ns = (
            (record.gone_ns, end_ns) if is_control else _watched(record, records, end_ns)
        )
        faults.append(fault_recovery(record, level, gone_ns, until_ns, is_control=is_control))
    return LevelRecovery(
        faults=tuple(faults),
        is_control=is_control,
        baseline=baseline,
        series=service_series(arrivals, baseline.limit_s, window_ns, go_ns)
        if baseline is not None and end_ns > start_ns
        else None,
        why_no_retries=NOT_COUNTED if attempts is None else "",
    )


def _watched(
    record: FaultRecord, records: Sequence[FaultRecord], end_ns: int
) -> tuple[int | None, int]:
    """Return from when on, and until when, it is watched whether service comes back.

    From when it was gone, with all that it overlapped, until the next injection or the end. The
    first is None where one of them was never seen to be gone.
    """
    if record.injecting_ns is None or record.gone_ns is None:
        return None, end_ns
    gone_ns = record.gone_ns
    begun = [(one.injecting_ns, one.gone_ns) for one in records if one.injecting_ns is not None]
    for injecting_ns, other_ns in sorted(begun, key=lambda pair: pair[0]):
        if record.injecting_ns <= injecting_ns <= gone_ns or (
            injecting_ns < record.injecting_ns and (other_ns is None or other_ns > gone_ns)
        ):
            if other_ns is None:
                return None, end_ns
            gone_ns = max(gone_ns, other_ns)
    following = [
        max(gone_ns, _felt_from_ns(one, one.injecting_ns))
        for one in records
        if one.injecting_ns is not None and one.injecting_ns > gone_ns
    ]
    return gone_ns, min([*following, end_ns])


def _felt_from_ns(record: FaultRecord, injecting_ns: int) -> int:
    """Return from when on others may feel a failure: before its window, if it takes much ahead."""
    kind = FAULT_KINDS.get(record.window.kind)
    return injecting_ns - round(1e9 * kind.felt_ahead_s) if kind is not None else injecting_ns


def in_doubt(recovery: LevelRecovery, validity: Validity) -> LevelRecovery:
    """Return what is left of the verdicts at a level that is no valid measurement.

    A late generator makes answers late whatever the target does. Other programs on the machine can
    only slow a target down: what came back beside them did come back.
    """
    doubted: dict[str, tuple[FaultVerdict, ...]] = {
        "generator_limited": ("recovered", "metastable"),
        "noisy_host": ("metastable",),
    }
    faults = [
        replace(
            fault,
            verdict="invalid",
            why=f"the level is {validity}, so the cause may be that and no failure: {fault.why}",
        )
        if fault.verdict in doubted.get(validity, ())
        else fault
        for fault in recovery.faults
    ]
    return replace(recovery, faults=tuple(faults))


def not_used(recovery: LevelRecovery, traffic: Sequence[ServerTraffic]) -> LevelRecovery:
    """Return what is left of the verdicts where the target never met the server that failed.

    Its functions may have another address of it than the one that the run gave them. Where the
    kernel does not report every connection, nothing is known, and the verdicts stay.

    Args:
        recovery: Of a level.
        traffic: What went between the target and each server in its steady phase.
    """
    unused = {one.server for one in traffic if one.connections == 0 and not one.at_least}
    faults = [
        replace(
            fault,
            verdict="invalid",
            why=f"the target had no connection to {fault.server} in the steady phase, at the "
            "address that the run gave to its workers, so it had nothing to survive",
        )
        if fault.server in unused and fault.evidence_share >= MIN_EVIDENCE_SHARE
        else fault
        for fault in recovery.faults
    ]
    return replace(recovery, faults=tuple(faults))


def control_records(
    windows: Sequence[FaultWindow], start_ns: int, end_ns: int
) -> list[FaultRecord]:
    """Return the windows of other levels as if they had been played without a failure.

    Args:
        windows: Of the scenario; those of the same time are one.
        start_ns: Begin of the steady phase as planned, CLOCK_MONOTONIC.
        end_ns: Its end.
    """
    found: dict[tuple[int, int], FaultRecord] = {}
    for number, window in enumerate(windows):
        begin_ns, gone_ns = (start_ns + round(at_s * 1e9) for at_s in (window.at_s, window.end_s))
        if gone_ns < end_ns:
            record = FaultRecord(number, window, begin_ns, begin_ns, gone_ns, gone_ns)
            found.setdefault((begin_ns, gone_ns), record)
    return list(found.values())


def _objective(slos: Sequence[Slo], plan: dict[str, Any]) -> tuple[float, str] | None:
    """Return the longest time that is answered well by the objectives, and which of them says so.

    Of several percentiles the highest decides: what it allows is allowed to nearly all.
    """
    times = "response" if plan["loop"] == "open" else "service"
    found = [
        slo
        for slo in slos
        if slo.about.kind == "percentile"
        and slo.family is None
        and slo.about.times in {"latency", times}
        and slo.applies_to(plan["role"], plan["label"])
    ]
    if not found:
        return None
    decides = max(found, key=lambda slo: (slo.about.p, -slo.limit))
    return decides.limit, decides.text
