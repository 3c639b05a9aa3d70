"""The load that goes with the floor of a block, and how a signal follows the load within a block.

Where the load swings in less than a block, the lowest samples of a block are those of its least
load, and a floor says nothing of the load of the block. Regressed on it, growth that only follows
the load would be left over in part, as of any regressor that has an error. So the swings within
blocks are taken out of the samples before their floors are. They are regressed on deviations from
the means of the blocks: growth from block to block has no part in that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

WINDOWS_IN_BLOCK, LAGS = 6, 3
"""The load is counted over a sixth of a block before a sample, and over the two sixths before that
one. A signal that follows the load by minutes follows its swings later, and less than its growth:
three of them can tell both apart, and a single one would leave growth over."""

MIN_WORKFLOWS = 400
"""Of a sixth of a block; fewer say little of the load in it."""

MIN_EXPLAINED = 0.1
"""Share of the variance within blocks that the load must explain to be taken out of the samples."""


class BlockLoads(NamedTuple):
    """The load of blocks.

    Attributes:
        load: float64[blocks, k], the load of each block, and perhaps how it changes.
        swings: float64[n], what each sample has more than its block has, as the load has.
    """

    load: Floats
    swings: Floats


def load_of_blocks(
    hours: Floats, workflows: Floats, values: Floats, parts: Sequence[npt.NDArray[np.int64]]
) -> BlockLoads:
    """Return the load that goes with the floors of a signal.

    Args:
        hours: float64[n], times of the samples, ascending.
        workflows: float64[n], workflows that had ended.
        values: float64[n], the signal.
        parts: Places of the samples of each block, two at least.
    """
    window = float(hours[-1] - hours[0]) / len(parts) / WINDOWS_IN_BLOCK
    none = np.zeros_like(values)
    if float(workflows[-1] - workflows[0]) / len(parts) / WINDOWS_IN_BLOCK < MIN_WORKFLOWS:
        rates = [np.ptp(workflows[part]) / np.ptp(hours[part]) for part in parts]
        return BlockLoads(np.array(rates)[:, None], none)
    ends = np.maximum(hours, hours[0] + LAGS * window)
    ended = np.interp(ends[:, None] - window * np.arange(LAGS + 1), hours, workflows)
    loads = -np.diff(ended, axis=1) / window
    means = np.array([loads[part].mean(axis=0) for part in parts])
    load = np.concatenate([means[:, :1], means[:, :1] - means[:, 1:]], axis=1)
    within = np.concatenate([values[part] - values[part].mean() for part in parts])
    varied = np.concatenate([loads[part] - loads[part].mean(axis=0) for part in parts])
    swings = varied @ np.linalg.lstsq(varied, within, rcond=None)[0]
    explains = float(swings @ swings) > MIN_EXPLAINED * float(within @ within)
    return BlockLoads(load, swings if explains else none)
