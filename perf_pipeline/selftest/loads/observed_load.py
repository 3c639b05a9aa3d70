"""A load generator's figures of its own load, and those of the service's log."""

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
    """One load as its generator and as the service measured it.

    Attributes:
        name: The generator.
        length_s: Length of the measurement.
        per_s: Throughput by the generator, requests a second.
        percentiles_ms: Percent to the percentile of the time of a request by the generator, ms.
        resolution_ms: Resolution of these times.
        log: Log of the service in that time.
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
    """Compare two generators; the service's log decides between them.

    Two runs are two loads, in which the service itself takes different times. So each generator is
    compared with the service's log of its own run. Ours must agree with it within the resolution of
    the other generator. The difference of the two beyond their logs is shown, and which of them the
    logs support.

    Args:
        loop: ``closed`` or ``at a rate``.
        ours: Our load.
        other: That of the independent generator.
        share: Tolerance for sockets, timers and scheduling, as a share of the value.
        judged: Percentiles that have a limit.
    """
    rates = [(each.per_s, each.log_per_s) for each in (ours, other)]
    figures = _pair(f"{loop}: throughput", "/s", rates, share * ours.log_per_s, other, judged=True)
    for percent in PERCENTS:
        times = [
            (each.percentiles_ms[percent], each.log.percentile_ms(percent))
            for each in (ours, other)
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
    """Return the difference of ours from the log, and from the other generator beyond the logs."""
    (ours, ours_log), (others, others_log) = pairs
    off, other_off = ours - ours_log, others - others_log
    apart = abs(off - other_off)
    conclusion = "they agree"
    if apart > limit:
        nearer = "us" if abs(off) < abs(other_off) else other.name
        conclusion = f"they differ, and the logs are with {nearer}"
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
            f"({other.name} resolves times to {other.resolution_ms:g} ms): {conclusion}",
        ),
    ]
