"""The floor of a signal: what is left in each block of time once transients are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.endurance.load_of_blocks import load_of_blocks

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

BLOCKS = 48
"""Half an hour of a day: longer than the collector's sawtooth, and enough of them for a trend."""

MIN_BLOCK_SAMPLES = 10
"""Samples of a block on average; of shorter series there are fewer blocks."""

FEW_BLOCKS = 24
"""Unless there are so few samples that this many blocks have fewer."""

MIN_BLOCKS = 13

LOW, HIGH = 0.02, 0.12
"""The floor of a block is the mean of its samples between these quantiles: garbage that was not
collected yet and spikes are above them, single wrong readings below."""


@dataclass(frozen=True)
class Floors:
    """The blocks of a signal that have samples.

    Attributes:
        hours: float64[n], mean time of the samples of each block, ascending.
        values: float64[n], the floors.
        load: float64[n, k], as of ``BlockLoads``; None where workflows were not counted or the
            samples are too few.
        begin: Hour at which the first block begins.
        count: Blocks with and without samples.
    """

    hours: Floats
    values: Floats
    load: Floats | None
    begin: float
    count: int

    def without_first(self) -> Floors:
        """Return all but the first block, in which a process starts."""
        load = None if self.load is None else self.load[1:]
        return Floors(self.hours[1:], self.values[1:], load, self.begin, self.count)


def floors(
    hours: Floats, values: Floats, workflows: Floats | None, growth: Floats | None = None
) -> Floors:
    """Return the floors of a signal.

    Args:
        hours: float64[n], times of the samples, ascending.
        values: float64[n].
        workflows: float64[n], workflows that had ended, or None.
        growth: float64[n], what the signal is known to grow in a warm-up; None for nothing. It is
            taken out of the samples and added to the floors again, as it is at the mean time of
            each block: the lowest samples of a block in which a signal rises fast are its first
            ones, and lower than those of a block in which it only fluctuates.
    """
    count = min(BLOCKS, max(len(values) // MIN_BLOCK_SAMPLES, min(len(values), FEW_BLOCKS)))
    edges = np.linspace(hours[0], hours[-1], count + 1)
    borders = np.searchsorted(hours, edges[1:-1])
    parts = [part for part in np.split(np.arange(len(hours)), borders) if len(part)]
    known = np.zeros_like(values) if growth is None else growth
    values = values - known
    load = None
    if workflows is not None and all(len(part) > 1 for part in parts):
        load, swings = load_of_blocks(hours, workflows, values, parts)
        values = values - swings
    times = np.array([hours[part].mean() for part in parts])
    return Floors(
        times,
        np.array([_floor(values[part]) for part in parts]) + np.interp(times, hours, known),
        load,
        float(hours[0]),
        count,
    )


def _floor(block: Floats) -> float:
    first = int(LOW * len(block))
    last = max(int(HIGH * len(block)), first + 1)
    return float(np.partition(block, range(first, last))[first:last].mean())
