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
        pairs: Pairs of windows of all its levels.
    """

    name: str
    target: str
    pairs: tuple[WindowPair, ...]

    @cached_property
    def on_cpu(self) -> tuple[dict[Stack, int], ...]:
        """The stacks of threads that computed, one mapping for each pair."""
        return tuple(on_cpu(pair.stacks) for pair in self.pairs)

    @cached_property
    def stacks(self) -> Counter[Stack]:
        """Those of all pairs together."""
        total: Counter[Stack] = Counter()
        for stacks in self.on_cpu:
            total.update(stacks)
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

    def unsampled(self, of: str) -> npt.NDArray[np.float64]:
        """Return ``cpu_s`` or ``workflows`` of each window without sampling."""
        return np.array([float(getattr(pair.unsampled, of)) for pair in self.pairs])

    def own_counts(self, functions: Sequence[Function]) -> npt.NDArray[np.float64]:
        """Return float64[pairs, functions]: samples of each function's own time."""
        rows = []
        for stacks in self.on_cpu:
            counts: Counter[Function] = Counter()
            for stack, count in stacks.items():
                counts[function_of(own_frame(stack))] += count
            rows.append([float(counts[each]) for each in functions])
        return np.array(rows).reshape(len(self.pairs), len(functions))

    def inclusive_counts(self) -> Counter[Function]:
        """Return how many samples had a function anywhere in the stack."""
        counts: Counter[Function] = Counter()
        for stack, count in self.stacks.items():
            for function in called_functions(stack):
                counts[function] += count
        return counts
