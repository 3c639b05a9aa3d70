"""Student's t distribution, for intervals of a mean of few values."""

from __future__ import annotations

import math

_BISECTIONS = 100


def t_quantile(p: float, degrees: int) -> float:
    """Return the value below which Student's t lies with probability ``p``.

    Args:
        p: Above 0.5 and below 1.
        degrees: Degrees of freedom, at least 1.

    Raises:
        ValueError: ``p`` or ``degrees`` is outside.
    """
    if not 0.5 < p < 1 or degrees < 1:  # noqa: PLR2004 - the upper half
        raise ValueError(f"p is {p} and degrees {degrees}; 0.5 < p < 1 and at least 1 degree")
    low, high = 0.0, 1.0
    while _within(high, degrees) < 2 * p - 1:
        high *= 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _within(middle, degrees) < 2 * p - 1:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _within(t: float, degrees: int) -> float:
    """Return the probability of a value between ``-t`` and ``t``.

    Source:
        Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = 0.0
    for power in range(odd, degrees - 1, 2):
        total += term
        term *= (power + 1) / (power + 2) * cosine * cosine
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
