"""The own CPU time of functions per workflow on one side, each with its standard error.

CPU time per workflow of a function = its share of the on-CPU samples x the CPU time per workflow
that was measured without sampling. The error comes from drawing pairs of windows with replacement,
and is never smaller than the number of samples allows.

Source:
    Efron, Tibshirani, An Introduction to the Bootstrap, 1993, chapters 6 and 8 (blocks of a series
    are drawn in place of single samples).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from perf_pipeline.analysis.profile.arm_samples import ArmSamples
    from perf_pipeline.analysis.profile.python_calls import Function

RESAMPLES = 2000


@dataclass(frozen=True)
class OwnTimes:
    """Own times of functions, in the order in which they were asked for.

    Attributes:
        seconds: float64[functions], CPU time per workflow.
        error_s: float64[functions], its standard error.
    """

    seconds: npt.NDArray[np.float64]
    error_s: npt.NDArray[np.float64]


def own_times(side: ArmSamples, functions: list[Function], rng: np.random.Generator) -> OwnTimes:
    """Estimate the own time of each function.

    Args:
        side: With at least two pairs of windows, a sample and a workflow.
        functions: Which functions.
        rng: Source of the resampling.
    """
    own = side.own_counts(functions)
    samples = np.array([float(sum(stacks.values())) for stacks in side.on_cpu])
    cpu_s, workflows = side.unsampled("cpu_s"), side.unsampled("workflows")
    pairs, total, each_s = len(side.pairs), samples.sum(), cpu_s.sum() / workflows.sum()
    share = own.sum(axis=0) / total
    drawn = rng.multinomial(pairs, np.full(pairs, 1 / pairs), size=RESAMPLES).astype(float)
    drawn = drawn[(drawn @ samples > 0) & (drawn @ workflows > 0)]
    again_s = (
        (drawn @ own)
        / (drawn @ samples)[:, None]
        * ((drawn @ cpu_s) / (drawn @ workflows))[:, None]
    )
    # The spread of the drawn values is that of n - 1 pairs.
    spread_s = again_s.std(axis=0) * math.sqrt(pairs / (pairs - 1))
    counted = np.sqrt(np.maximum(share * (1 - share), 1 / total) / total)
    return OwnTimes(share * each_s, np.maximum(spread_s, counted * each_s))
