"""The own CPU time of functions per workflow on one side, and how it differs between its levels.

CPU time per workflow of a function = its share of the on-CPU samples x the CPU time per workflow
that was measured without sampling. The unit of which a side has several is the level: each is a
process of its own, at another time. Samples and windows of one process have its memory layout, its
hash seed and the machine's state of that time in common, so they are no independent values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from perf_pipeline.analysis.profile.arm_samples import ArmSamples
    from perf_pipeline.analysis.profile.python_calls import Function


@dataclass(frozen=True)
class OwnTimes:
    """Own times of functions, in the order in which they were asked for.

    Attributes:
        seconds: float64[functions], CPU time per workflow over all levels.
        levels: How many levels it was measured in.
        variance_s2: float64[functions], variance between levels of the value of one level.
        counted_s2: float64[functions], the part of that variance that the number of samples makes.
    """

    seconds: npt.NDArray[np.float64]
    levels: int
    variance_s2: npt.NDArray[np.float64]
    counted_s2: npt.NDArray[np.float64]


def own_times(side: ArmSamples, functions: list[Function]) -> OwnTimes:
    """Estimate the own time of each function.

    Args:
        side: With at least two measured levels.
        functions: Which functions.
    """
    levels = side.measured_levels
    own = np.array([level.own_counts(functions) for level in levels])
    samples = np.array([float(level.samples) for level in levels])
    each_s = np.array([level.cpu_per_workflow_s for level in levels], dtype=np.float64)
    shares = own / samples[:, None]
    share, all_s = side.own_counts(functions) / side.samples, side.cpu_per_workflow_s or 0.0
    # A function without a sample in a level may have had nearly one.
    per_sample = np.maximum(share * (1 - share), 1 / samples.mean()) / samples[:, None]
    return OwnTimes(
        seconds=share * all_s,
        levels=len(levels),
        variance_s2=(shares * each_s[:, None]).var(axis=0, ddof=1),
        counted_s2=(per_sample * each_s[:, None] ** 2).mean(axis=0),
    )
