"""Growth that is no leak: warm-ups that end, and allocators that grow ever slower.

Each shape has one constant, a share of the time that the signal covers. Before the data are seen
every end of a ramp is equally probable, and so is every logarithm of a time constant. The constant
is averaged over a grid, of which each point stands for what is nearer to it than to the others.
Where the data know the constant better than the grid does, points are added (adaptive quadrature):
of a large warm-up even the best point of a coarse grid leaves more over than the noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from perf_pipeline.analysis.endurance.floors import Floats

RAMP, APPROACH, CREEP = range(3)
KINDS = (RAMP, APPROACH, CREEP)
SHAPE_PRIORS = (0.08, 0.08, 0.16)
"""Probability of each kind, before the data are seen."""

GRIDS: tuple[Floats, ...] = (
    np.linspace(1 / 48, 3 / 4, 36),
    np.geomspace(1 / 100, 1 / 4, 24),
    np.geomspace(1 / 1000, 1 / 3, 20),
)
"""Ends of ramps, time constants of approaches and of creeps."""

POINTS_BETWEEN = 3
"""Points that are added between two of the grid."""


@dataclass(frozen=True)
class Shapes:
    """The shapes at the times of the floors: all ramps, then all approaches, then all creeps.

    Attributes:
        at: float64[n], times of the floors, from 0 to 1.
        grids: Constants of each kind, ascending.
        kinds: int[m], which of ``KINDS`` each shape is.
        constants: float64[m], end or time constant of each.
        columns: float64[n, m], a shape in each column.
        late: float64[m], growth of each at the end of the signal, per unit of the trend.
        prior: float64[m], probability of each before the data are seen.
    """

    at: Floats
    grids: tuple[Floats, ...]
    kinds: npt.NDArray[np.int64]
    constants: Floats
    columns: Floats
    late: Floats
    prior: Floats

    def refined(self, places: Iterable[int]) -> Shapes:
        """Return the shapes with more of them on both sides of some."""
        grids = [list(grid) for grid in self.grids]
        for place in places:
            kind = int(self.kinds[place])
            even, grid = _even(kind, self.grids[kind]), self.grids[kind]
            here = int(np.searchsorted(grid, self.constants[place]))
            for low in range(max(here - 1, 0), min(here + 1, len(grid) - 1)):
                between = np.linspace(even[low], even[low + 1], POINTS_BETWEEN + 2)[1:-1]
                grids[kind] += list(between if kind == RAMP else np.exp(between))
        return shapes_of(self.at, [np.unique(grid) for grid in grids])


def shapes_of(at: Floats, grids: Sequence[Floats] = GRIDS) -> Shapes:
    """Return the shapes over a grid.

    Args:
        at: float64[n], times of the floors, from 0 to 1.
        grids: Constants of each kind, ascending.
    """
    ramps, approaches, creeps = grids
    since = at[:, None]
    return Shapes(
        at,
        tuple(grids),
        np.repeat(KINDS, [len(grid) for grid in grids]),
        np.concatenate(grids),
        np.concatenate(
            [_at(kind, grid, since) for kind, grid in zip(KINDS, grids, strict=True)], axis=1
        ),
        np.concatenate(
            [np.zeros_like(ramps), np.exp(-1.0 / approaches) / approaches, 1.0 / (1.0 + creeps)]
        ),
        np.concatenate([_prior(kind, grid) for kind, grid in zip(KINDS, grids, strict=True)]),
    )


def growth_at(kind: int, constant: float, at: Floats) -> Floats:
    """Return the growth of a shape from 0 to some times, as a share of that from 0 to 1."""
    shape = _at(kind, np.array([constant]), np.concatenate([[0.0, 1.0], at])[:, None])[:, 0]
    growth: Floats = (shape[2:] - shape[0]) / (shape[1] - shape[0])
    return growth


def _at(kind: int, constants: Floats, at: Floats) -> Floats:
    shape: Floats
    if kind == RAMP:
        shape = np.minimum(at - constants, 0.0)
    elif kind == APPROACH:
        shape = -np.exp(-at / constants)
    else:
        shape = np.log1p(np.maximum(at, 0.0) / constants)
    return shape


def _prior(kind: int, grid: Floats) -> Floats:
    """Return the probability of each constant of a kind: that of what is nearest to it."""
    first = _even(kind, GRIDS[kind])
    even = _even(kind, grid)
    half = (first[1] - first[0]) / 2.0
    edges = np.concatenate([[first[0] - half], (even[1:] + even[:-1]) / 2.0, [first[-1] + half]])
    width: Floats = np.diff(edges)
    prior: Floats = SHAPE_PRIORS[kind] * width / (edges[-1] - edges[0])
    return prior


def _even(kind: int, grid: Floats) -> Floats:
    """Return the scale on which all constants of a kind are equally probable."""
    return grid if kind == RAMP else np.log(grid)
