"""What a load generator says of its own load, beside what the service saw of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.selftest.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.selftest.loads.service_process import ServiceLog

PERCENTS = (50, 90, 99)


@dataclass(frozen=True)
class ObservedLoad:
    """One generator's account of one load, and the service's.

    Attributes:
        name: The generator.
        length_s: How long it measured.
        per_s: Its throughput, requests a second.
        percentiles_ms: Percent to its percentile of the time of a request, ms.
        resolution_ms: How finely it tells them.
        log: What the service answered meanwhile.
    """

    name: str
    length_s: float
    per_s: float
    percentiles_ms: Mapping[int, float]
    resolution_ms: float
    log: ServiceLog

    @property
    def log_per_s(self) -> float:
        """Throughput by the service's log."""
        return len(self.log.sent_ns) / self.length_s


def compared(
    loop: str, ours: ObservedLoad, other: ObservedLoad, *, share: float, judged: tuple[int, ...]
) -> list[Figure]:
    """Hold two generators against each other; the service's log decides between them.

    Two runs are two loads: what the service itself took differs between them. So each generator
    is held against the service's log of its own run. Ours must agree with it within what the other
    generator can tell; how far the two are from each other beyond their logs is shown, and whom
    the logs contradict.

    Args:
        loop: ``closed`` or ``at a rate``.
        ours: Our account.
        other: The independent generator's.
        share: What sockets, timers and scheduling may add, as a share of the value.
        judged: Percentiles that have a limit.
    """
    rates = [(seen.per_s, seen.log_per_s) for seen in (ours, other)]
    figures = _pair(f"{loop}: throughput", "/s", rates, share * ours.log_per_s, other, judged=True)
    for percent in PERCENTS:
        times = [
            (seen.percentiles_ms[percent], seen.log.percentile_ms(percent))
            for seen in (ours, other)
        ]
        limit_ms = other.resolution_ms + share * ours.log.percentile_ms(percent)
        what = f"{loop}: p{percent}"
        figures += _pair(what, "ms", times, limit_ms, other, judged=percent in judged)
    return figures


def _pair(
    what: str,
    unit: str,
    pairs: list[tuple[float, float]],
    limit: float,
    other: ObservedLoad,
    *,
    judged: bool,
) -> list[Figure]:
    """Return how far ours is from the log, and from the other generator beyond the logs."""
    (ours, ours_log), (others, others_log) = pairs
    off, other_off = ours - ours_log, others - others_log
    apart = abs(off - other_off)
    decided = "they agree"
    if apart > limit:
        nearer = "us" if abs(off) < abs(other_off) else other.name
        decided = f"they differ, and the logs are with {nearer}"
    return [
        Figure(
            f"{what} of ours, from the service's log (beside {other.name})",
            abs(off),
            unit,
            limit if judged else None,
            note=f"ours {ours:.2f}, the log {ours_log:.2f}",
        ),
        Figure(
            f"{what} of ours, from {other.name}'s, beyond the logs of both",
            apart,
            unit,
            None,
            note=f"{other.name} {others:.2f}, the log {others_log:.2f}; within {limit:.2f} {unit} "
            f"({other.name} tells times to {other.resolution_ms:g} ms): {decided}",
        ),
    ]
