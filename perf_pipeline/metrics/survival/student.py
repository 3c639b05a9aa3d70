"""Student's t distribution, for intervals of a mean of few values."""

from __future__ import annotations

from functools import cache


@cache
def t_quantile(p: float, degrees: int) -> float:
    """Return the value below which Student's t lies with probability ``p``.

    Args:
        p: Above 0.5 and below 1.
        degrees: Degrees of freedom, at least 1.

    Raises:
        ValueError: ``p`` or ``degrees`` is outside.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 takes 0.3 s, and most commands need no interval

    if not 0.5 < p < 1 or degrees < 1:  # noqa: PLR2004 - the upper half
        raise ValueError(f"p is {p} and degrees {degrees}; 0.5 < p < 1 and at least 1 degree")
    return float(stdtrit(degrees, p))
