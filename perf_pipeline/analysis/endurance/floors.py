"""The floor of a signal: what is left in each block of time once transients are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

BLOCKS = 48
"""Half an hour of a day: longer than the collector's sawtooth, and enough of them for a trend."""

MIN_BLOCK_SAMPLES = 10
"""Samples of a block on average; of shorter series there are fewer blocks."""

MIN_BLOCKS = 12

LOW, HIGH = 0.02, 0.12
"""The floor of a block is the mean of its samples between these quantiles: garbage that was not
collected yet and spikes are above them, single wrong readings below."""


@dataclass(frozen=True)
class Floors:
    """The blocks of a signal that have samples.

    Attributes:
        hours: float64[n], mean time of the samples of each block, ascending.
        values: float64[n], the floors.
        load: float64[n], workflows per hour in each block; None where they were not counted or
            did not end evenly enough to tell.
        begin: Hour at which the first block begins.
    """

    hours: Floats
    values: Floats
    load: Floats | None
    begin: float

    def without_first(self) -> Floors:
        """Return all but the first block, in which a process starts."""
        load = None if self.load is None else self.load[1:]
        return Floors(self.hours[1:], self.values[1:], load, self.begin)


def floors(hours: Floats, values: Floats, workflows: Floats | None) -> Floors:
    """Return the floors of a signal.

    Args:
        hours: float64[n], times of the samples, ascending.
        values: float64[n].
        workflows: float64[n], workflows that had ended, or None.
    """
    count = min(BLOCKS, max(len(values) // MIN_BLOCK_SAMPLES, min(len(values), MIN_BLOCKS)))
    edges = np.linspace(hours[0], hours[-1], count + 1)
    borders = np.searchsorted(hours, edges[1:-1])
    parts = [part for part in np.split(np.arange(len(hours)), borders) if len(part)]
    load = None
    if workflows is not None and all(len(part) > 1 for part in parts):
        load = np.array([np.ptp(workflows[part]) / np.ptp(hours[part]) for part in parts])
    return Floors(
        np.array([hours[part].mean() for part in parts]),
        np.array([_floor(values[part]) for part in parts]),
        load,
        float(hours[0]),
    )


def _floor(block: Floats) -> float:
    first = int(LOW * len(block))
    last = max(int(HIGH * len(block)), first + 1)
    return float(np.partition(block, range(first, last))[first:last].mean())
