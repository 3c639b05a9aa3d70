"""The studentized range: how far apart the greatest and the least of some values lie by chance."""

from __future__ import annotations

import math

import numpy as np

_NORMAL_975 = 1.959964
_GRID = np.linspace(-8.0, 8.0, 4001)
_DENSITY = np.exp(-_GRID * _GRID / 2) / math.sqrt(2 * math.pi)
_BELOW = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in _GRID])
"""The standard normal distribution on a grid fine enough for six digits."""


def spread_by_chance(spread: float, width: float, n: int) -> float:
    """Return how probable a spread of ``n`` values is of which each has an interval of ``width``.

    The interval gives the standard deviation of one value, width / (2 x 1.96); the spread of
    ``n`` normal values in such units is the studentized range with infinitely many degrees of
    freedom, P(range <= w) = n integral of phi(z) (Phi(z) - Phi(z - w))^(n-1) dz.

    Args:
        spread: Greatest value - least value.
        width: Of the 95 % interval of one value, the same unit; 0 where nothing varies.
        n: At least 2.

    Source:
        Harter, "Tables of Range and Studentized Range", Annals of Mathematical Statistics 31,
        1960.
    """
    if spread <= 0:
        return 1.0
    if width <= 0:
        return 0.0
    normalised = spread / (width / (2 * _NORMAL_975))
    within = _BELOW - np.interp(_GRID - normalised, _GRID, _BELOW, left=0.0)
    less = float(np.sum(n * _DENSITY * within ** (n - 1)) * (_GRID[1] - _GRID[0]))
    return min(1.0, max(0.0, 1 - less))
