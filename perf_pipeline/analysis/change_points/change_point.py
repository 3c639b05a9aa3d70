"""A change point of a series: the first value of a new level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tier = Literal["confirmed", "fast"]

OFF_BY_RUNS: dict[Tier, int] = {"confirmed": 1, "fast": 2}
"""How far from the run that is named the first of a new level may be: what is confirmed is exact in
nine of ten histories, and nearly always within one run."""


@dataclass(frozen=True)
class Ratio:
    """A ratio new / old with its interval.

    Attributes:
        effect: The ratio; None where the two are not of the same sign, as no ratio says how far
            0 to 5 or -1 to 1 is; then so are the others.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    effect: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ChangePoint:
    """The first value of a new level.

    Attributes:
        index: Position of that value in the series, from 0.
        effect: Mean of the new level / mean of the level before; None where they are not of the
            same sign; then so are ``low`` and ``high``.
        low: Lower end of the 95 % interval of ``effect``.
        high: Upper end.
        tier: ``confirmed``: at least ``MIN_POINTS`` values show the new level, enough for a gate;
            ``fast``: the last two to seven values do, enough for a warning.
    """

    index: int
    effect: float | None
    low: float | None
    high: float | None
    tier: Tier
