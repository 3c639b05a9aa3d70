"""From one failure's log and the workflows around it to its figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.analysis.recovery.backlog import backlog_of, overshoot_ratio
from perf_pipeline.analysis.recovery.lost_service import harm_of, lost_service
from perf_pipeline.analysis.recovery.retries import retries_of
from perf_pipeline.analysis.recovery.time_to_recover import Watch, time_to_recover
from perf_pipeline.analysis.recovery.verdict import (
    hold_s,
    not_comparable,
    not_proven,
    verdict_of,
)
from perf_pipeline.metrics.types.fault.recovery import FaultMoments, FaultRecovery, FaultSign

if TYPE_CHECKING:
    from perf_pipeline.analysis.recovery.arrivals import Arrivals
    from perf_pipeline.metrics.survival.survival_curve import Floats
    from perf_pipeline.metrics.types.fault.recovery import Estimate, FaultVerdict, ServiceBaseline
    from perf_pipeline.samples.fault_log import FaultRecord, SignRecord

MAX_SIGNS = 480
"""Of a longer window every second, third, ... observation is stored."""


@dataclass(frozen=True)
class ServedLevel:
    """The workflows of a level, and what they are compared with.

    Attributes:
        loop: Of the level.
        go_ns: Its start, CLOCK_MONOTONIC.
        arrivals: Its workflows.
        before_ns: From the begin of the steady phase to the first injection.
        baseline: Service in that time; None where nothing arrived in it.
        attempts: Of each workflow; None where nobody counted them.
    """

    loop: Literal["closed", "open"]
    go_ns: int
    arrivals: Arrivals
    before_ns: tuple[int, int]
    baseline: ServiceBaseline | None
    attempts: Floats | None

    def at_s(self, at_ns: int | None) -> float | None:
        """Return a time after the go."""
        return None if at_ns is None else (at_ns - self.go_ns) / 1e9


def fault_recovery(
    record: FaultRecord,
    level: ServedLevel,
    gone_ns: int | None,
    until_ns: int,
    *,
    is_control: bool,
) -> FaultRecovery:
    """Return what a failure did and how the target came back.

    Args:
        record: The failure's log.
        level: The level.
        gone_ns: When it was gone, with all that it overlapped; None if it never was.
        until_ns: Until when it is watched: the next injection, or the end of the steady phase.
        is_control: Nothing was injected, so nothing needs to be proven.
    """
    watched_s = max(0.0, (until_ns - gone_ns) / 1e9) if gone_ns is not None else 0.0
    watch = Watch(gone_ns or until_ns, until_ns, round(hold_s(watched_s) * 1e9))
    baseline = level.baseline
    unproven = "" if is_control else not_proven(record, gone_ns)
    why_not = unproven or not_comparable(baseline, watched_s)
    recovered = None
    if baseline is not None and not why_not:
        before = level.arrivals.between(*level.before_ns)
        recovered = time_to_recover(level.arrivals, baseline, before, watch)
    return _with_harm(record, level, watch, recovered, why_not)


def _with_harm(
    record: FaultRecord,
    level: ServedLevel,
    watch: Watch,
    recovered: Estimate | None,
    why_not: str,
) -> FaultRecovery:
    injecting_ns, baseline, arrivals = record.injecting_ns, level.baseline, level.arrivals
    harmed = injecting_ns is not None and injecting_ns < watch.until_ns and baseline is not None
    ends_ns = watch.until_ns
    if recovered is not None:
        ends_ns = watch.gone_ns + round(recovered.value * 1e9)
    is_open, watched_s = level.loop == "open", (watch.until_ns - watch.gone_ns) / 1e9
    lost = harm = backlog = retries = overshoot = None
    if harmed and injecting_ns is not None and baseline is not None:
        harm = harm_of(arrivals, baseline.limit_s, injecting_ns, ends_ns)
        span_ns = (injecting_ns, watch.gone_ns, watch.until_ns)
        if is_open:
            lost = lost_service(arrivals, baseline, injecting_ns, ends_ns)
            backlog = backlog_of(arrivals, level.before_ns, *span_ns)
        overshoot = overshoot_ratio(arrivals, level.before_ns, *span_ns[1:])
        if level.attempts is not None:
            retries = retries_of(arrivals, level.attempts, level.before_ns, span_ns)
    verdict: FaultVerdict = "invalid" if record.is_possible else "not_possible"
    why = why_not
    if not why_not and baseline is not None:
        share = _late_bad_share(arrivals, baseline, watch)
        verdict, why = verdict_of(recovered, backlog, watched_s, share)
    window = record.window
    return FaultRecovery(
        kind=window.kind,
        server=window.server,
        settings=dict(window.settings),
        at_s=window.at_s,
        duration_s=window.duration_s,
        verdict=verdict,
        why=why,
        moments=FaultMoments(
            *map(
                level.at_s,
                (injecting_ns, record.in_effect_ns, record.undoing_ns, record.gone_ns),
            )
        ),
        evidence_share=record.evidence_share,
        observations=len(record.signs),
        signs=_signs(record.signs, level),
        watched_s=watched_s,
        hold_s=watch.hold_ns / 1e9,
        time_to_recover_s=recovered,
        lost_service_s=lost,
        harm=harm,
        backlog=backlog,
        overshoot_ratio=overshoot,
        retries=retries,
    )


def _late_bad_share(arrivals: Arrivals, baseline: ServiceBaseline, watch: Watch) -> float:
    third_ns = (watch.until_ns - watch.gone_ns) // 3
    late = arrivals.between(watch.until_ns - third_ns, watch.until_ns)
    known = late.where(late.is_known(baseline.as_before_s))
    return float(known.is_bad(baseline.as_before_s).mean()) if len(known) else 0.0


def _signs(signs: tuple[SignRecord, ...], level: ServedLevel) -> tuple[FaultSign, ...]:
    step = max(1, math.ceil(len(signs) / MAX_SIGNS))
    return tuple(
        FaultSign((sign.at_ns - level.go_ns) / 1e9, sign.in_effect, sign.value, sign.text)
        for sign in signs[::step]
        if math.isfinite(sign.value)
    )
