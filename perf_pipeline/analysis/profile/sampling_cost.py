"""What sampling cost, from neighbouring windows with and without it."""

from __future__ import annotations

import math
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.metrics.types.profile import SamplingCost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.samples.stacks.window import Window, WindowPair


MIN_PAIRS = 3
"""With fewer pairs of windows, they say nothing about how they vary."""


def sampling_cost(pairs: Sequence[WindowPair]) -> SamplingCost:
    """Compare throughput and CPU time per workflow within each pair.

    The windows of a pair are neighbours, so what changes slowly (a neighbour on the machine, the
    clock rate) affects both. The ratio is the geometric mean over the pairs, with the interval of
    Student's t of their logarithms.
    """
    usable = [pair for pair in pairs if pair.sampled.workflows and pair.unsampled.workflows]
    if not usable:
        return SamplingCost(None, None, None, None)
    logs = [math.log(_rate(pair.sampled) / _rate(pair.unsampled)) for pair in usable]
    ratio = math.exp(fmean(logs))
    with_s = _cpu_each_s([pair.sampled for pair in usable])
    without_s = _cpu_each_s([pair.unsampled for pair in usable])
    cpu_ratio = with_s / without_s if without_s else None
    if len(logs) < MIN_PAIRS:
        return SamplingCost(ratio, None, None, cpu_ratio)
    half = t_quantile(0.975, len(logs) - 1) * stdev(logs) / math.sqrt(len(logs))
    return SamplingCost(ratio, ratio * math.exp(-half), ratio * math.exp(half), cpu_ratio)


def _rate(window: Window) -> float:
    return window.workflows / window.length_s


def _cpu_each_s(windows: Sequence[Window]) -> float:
    return sum(one.cpu_s for one in windows) / sum(one.workflows for one in windows)
