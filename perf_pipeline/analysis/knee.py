"""The knee of several loads: where throughput stops growing and time begins to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Knee:
    """Where throughput stops growing with the load and time begins to.

    Attributes:
        in_flight: Workflows in flight that the maximum throughput takes if nothing waits.
        per_s: Maximum throughput measured.
        time_s: Minimum mean time measured.
        is_reached: False when no step had clearly more in flight: the maximum throughput is then
            not known to be the target's limit, and there is no knee.
    """

    in_flight: float
    per_s: float
    time_s: float
    is_reached: bool


def knee_of(in_flight: Sequence[float], per_s: Sequence[float]) -> Knee | None:
    """Find the knee: where the two asymptotes of a closed system meet, N* = X_max R_min.

    Below it X = N / R_min, above it X = X_max and R = N / X_max. Both bounds hold whatever the
    distributions are; R of each point is N / X (Little's law).

    Args:
        in_flight: Mean number in flight at each step, > 0.
        per_s: Throughput at each.

    Source:
        Denning, Buzen, "The Operational Analysis of Queueing Network Models", Computing Surveys
        10, 1978, section on asymptotes.
    """
    known = [(n, x) for n, x in zip(in_flight, per_s, strict=True) if n > 0 and x > 0]
    if not known:
        return None
    max_per_s = max(x for _, x in known)
    min_s = min(n / x for n, x in known)
    at = max_per_s * min_s
    return Knee(at, max_per_s, min_s, is_reached=max(n for n, _ in known) >= 1.2 * at)
