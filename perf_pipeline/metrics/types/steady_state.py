"""Whether and since when a load level is in a steady state."""

from dataclasses import dataclass
from typing import Literal

MIN_RATIO = 0.05
"""What differs by less, relative to the level, is of no consequence for any verdict here."""


@dataclass(frozen=True)
class Drift:
    """How much a series changes from its beginning to its end, relative to its mean.

    Attributes:
        change_ratio: By the slope of the blocks.
        low_ratio: Lower end of the 99.5 % interval.
        high_ratio: Upper end.
    """

    change_ratio: float
    low_ratio: float
    high_ratio: float

    @property
    def found(self) -> bool:
        """True when the series surely changes, and by enough to matter."""
        surely = self.low_ratio > 0 or self.high_ratio < 0
        return surely and abs(self.change_ratio) > MIN_RATIO

    @property
    def max_change(self) -> float:
        """The greatest change that the interval does not rule out, either way."""
        return max(abs(self.low_ratio), abs(self.high_ratio))


@dataclass(frozen=True)
class SteadyState:
    """What the series of a level say of its steady state.

    Attributes:
        starts_s: Since when the level is steady, seconds after its go, never before the planned
            steady phase; None where no steady state was found.
        verdict: ``undecided`` found no drift but cannot rule out a great one; ``too_short`` and
            ``not_judged`` (the schedule changes the load itself) say nothing at all.
        why: A sentence about it; empty for a steady state as planned.
        drifts: Series to its drift over the steady phase that is left; empty where not judged.
    """

    starts_s: float | None
    verdict: Literal["steady", "not_steady", "undecided", "too_short", "not_judged"]
    why: str = ""
    drifts: dict[str, Drift] | None = None
