"""Student's t distribution, for intervals of a mean of few values.

In the standard library's mathematics: scipy takes 0.2 to 0.3 s of processor time to import, which
every report would wait for.

Source:
    Abramowitz, Stegun, Handbook of Mathematical Functions, 1964, 26.7.3 to 26.7.5.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

_EXACT_DEGREES = 1000
"""Beyond, the expansion around the normal distribution is exact to ten digits."""


@cache
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
    if degrees > _EXACT_DEGREES:
        return _near_normal(NormalDist().inv_cdf(p), degrees)
    # The distribution function is concave above 0, so that Newton's steps never overshoot.
    t, step = 0.0, math.inf
    while step > 1e-13 * t:
        step = (p - 0.5 - _between(t, degrees) / 2) / _density(t, degrees)
        t += step
    return t


def _between(t: float, degrees: int) -> float:
    """Return the probability that Student's t lies between -t and t."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine2 = math.cos(angle) ** 2
    is_odd = degrees % 2
    term = math.cos(angle) if is_odd else 1.0
    total = term if degrees > 1 else 0.0
    for at in range(2 if is_odd else 1, degrees - 2, 2):
        term *= cosine2 * at / (at + 1)
        total += term
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if is_odd else total


def _density(t: float, degrees: int) -> float:
    half = (degrees + 1) / 2
    log = math.lgamma(half) - math.lgamma(degrees / 2) - math.log(math.pi * degrees) / 2
    return math.exp(log - half * math.log1p(t * t / degrees))


def _near_normal(z: float, degrees: int) -> float:
    """Return the quantile that belongs to the one of the normal distribution."""
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(degrees) ** power for power, term in enumerate(terms, 1))
