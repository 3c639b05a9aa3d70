"""What a load generator says of its own load, beside what the service saw of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.selftest.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.selftest.service_process import ServiceLog

PERCENTS = (50, 90, 99)


@dataclass(frozen=True)
class SeenLoad:
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
    loop: str, ours: SeenLoad, other: SeenLoad, *, share: float, judged: tuple[int, ...]
) -> list[Figure]:
    """Hold two generators against each other, beyond what the service's log explains.

    Two runs are two loads: what the service itself took differs between them. So each generator
    is first held against the service's log of its own run, and the two differences must agree.

    Args:
        loop: ``closed`` or ``at a rate``.
        ours: Our account.
        other: The independent generator's.
        share: What timers and scheduling of two runs may add, as a share of the value.
        judged: Percentiles that have a limit.
    """
    throughput = Figure(
        f"{loop}: throughput of ours against {other.name}, beyond the service's log",
        100 * abs(ours.per_s / ours.log_per_s - other.per_s / other.log_per_s),
        "%",
        100 * share,
        note=_note(ours, other, "/s", [(s.per_s, s.log_per_s) for s in (ours, other)]),
    )
    return [throughput, *(_percentile(loop, ours, other, p, share, judged) for p in PERCENTS)]


def _percentile(
    loop: str, ours: SeenLoad, other: SeenLoad, percent: int, share: float, judged: tuple[int, ...]
) -> Figure:
    told = [(s.percentiles_ms[percent], s.log.percentile_ms(percent)) for s in (ours, other)]
    (ours_ms, ours_log_ms), (other_ms, other_log_ms) = told
    limit_ms = other.resolution_ms + share * ours_log_ms
    return Figure(
        f"{loop}: p{percent} of ours against {other.name}, beyond the service's log",
        abs((ours_ms - ours_log_ms) - (other_ms - other_log_ms)),
        "ms",
        limit_ms if percent in judged else None,
        note=_note(ours, other, " ms", told)
        + f"; {other.name} tells {other.resolution_ms:g} ms, timers {100 * share:g} %",
    )


def _note(ours: SeenLoad, other: SeenLoad, unit: str, told: list[tuple[float, float]]) -> str:
    return "; ".join(
        f"{seen.name} {value:.2f}{unit}, the log {truth:.2f}{unit}"
        for seen, (value, truth) in zip((ours, other), told, strict=True)
    )
