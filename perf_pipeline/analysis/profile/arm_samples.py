"""The windows of one side of a differential profile, added up by function."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.profile.on_cpu import on_cpu
from perf_pipeline.analysis.profile.python_calls import called_functions, function_of, own_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from perf_pipeline.analysis.profile.python_calls import Function
    from perf_pipeline.samples.stacks.raw_stacks import Stack
    from perf_pipeline.samples.stacks.window import WindowPair


@dataclass(frozen=True)
class ArmSamples:
    """One side as it was sampled.

    Attributes:
        name: As the comparison calls it.
        target: With its version and packages.
        levels: The pairs of windows of each level; every level has a process of its own.
    """

    name: str
    target: str
    levels: tuple[tuple[WindowPair, ...], ...]

    @property
    def pairs(self) -> tuple[WindowPair, ...]:
        """The pairs of windows of all levels."""
        return tuple(pair for level in self.levels for pair in level)

    @cached_property
    def measured_levels(self) -> tuple[ArmSamples, ...]:
        """Each level by itself, without those in which no workflow or no sample counts."""
        each = (ArmSamples(self.name, self.target, (level,)) for level in self.levels)
        return tuple(level for level in each if level.workflows and level.samples)

    @cached_property
    def stacks(self) -> Counter[Stack]:
        """The stacks of threads that computed, of all pairs together."""
        total: Counter[Stack] = Counter()
        for pair in self.pairs:
            total.update(on_cpu(pair.stacks))
        return total

    @property
    def samples(self) -> int:
        """On-CPU samples."""
        return self.stacks.total()

    @property
    def waiting_samples(self) -> int:
        """Samples of threads that waited."""
        return sum(sum(pair.stacks.values()) for pair in self.pairs) - self.samples

    @property
    def workflows(self) -> int:
        """Workflows that ended ok in the windows without sampling."""
        return sum(pair.unsampled.workflows for pair in self.pairs)

    @property
    def cpu_per_workflow_s(self) -> float | None:
        """CPU time per workflow, without sampling; None where no workflow ended ok."""
        spent_s = sum(pair.unsampled.cpu_s for pair in self.pairs)
        return spent_s / self.workflows if self.workflows else None

    @property
    def core_wait_ratio(self) -> float | None:
        """How long threads waited for a core for each second on one, while sampled."""
        spent_s = sum(pair.sampled.cpu_s for pair in self.pairs)
        waited_s = sum(pair.sampled.core_wait_s for pair in self.pairs)
        return waited_s / spent_s if spent_s else None

    @cached_property
    def counts(self) -> Counter[Function]:
        """On-CPU samples of each function's own time."""
        counts: Counter[Function] = Counter()
        for stack, count in self.stacks.items():
            counts[function_of(own_frame(stack))] += count
        return counts

    def own_counts(self, functions: Sequence[Function]) -> npt.NDArray[np.float64]:
        """Return float64[functions]: samples of each function's own time."""
        return np.array([float(self.counts[each]) for each in functions])

    def inclusive_counts(self) -> Counter[Function]:
        """Return how many samples had a function anywhere in the stack."""
        counts: Counter[Function] = Counter()
        for stack, count in self.stacks.items():
            for function in called_functions(stack):
                counts[function] += count
        return counts
