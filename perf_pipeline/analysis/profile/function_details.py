"""What the samples of one side tell of a function besides its time: lines, callers, native code."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from perf_pipeline.analysis.profile.on_cpu import native_part
from perf_pipeline.analysis.profile.python_calls import (
    call_path,
    function_of,
    own_frame,
    shown_frame,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.analysis.profile.arm_samples import ArmSamples
    from perf_pipeline.analysis.profile.python_calls import Function


_Key = TypeVar("_Key", int, str)


class FunctionDetails:
    """The details of every function of a side.

    Attributes:
        samples: On-CPU samples of its own time.
    """

    def __init__(self, side: ArmSamples) -> None:
        """Add up the samples of a side that has some."""
        self._each_s = (side.cpu_per_workflow_s or 0.0) / side.samples
        self._inclusive = side.inclusive_counts()
        self.samples = side.counts
        self._lines: dict[Function, Counter[int]] = {}
        self._natives: dict[Function, Counter[str]] = {}
        self._paths: dict[Function, Counter[tuple[str, ...]]] = {}
        for stack, count in side.stacks.items():
            frame, below = own_frame(stack), native_part(stack)
            function = function_of(frame)
            self._lines.setdefault(function, Counter())[frame.line] += count
            self._paths.setdefault(function, Counter())[call_path(stack)] += count
            if below and not frame.is_native:
                self._natives.setdefault(function, Counter())[shown_frame(below[0])] += count

    def inclusive_s(self, function: Function) -> float:
        """Return its CPU time per workflow with everything that it called."""
        return self._inclusive[function] * self._each_s

    def path(self, function: Function) -> tuple[str, ...]:
        """Return how it was called most often; empty where it was not sampled."""
        paths = self._paths.get(function)
        return max(paths, key=lambda path: (paths[path], path)) if paths else ()

    def lines_s(self, function: Function) -> dict[int, float]:
        """Return the time of each of its lines per workflow."""
        counts = self._lines.get(function, Counter())
        return {line: count * self._each_s for line, count in counts.items()}

    def natives_s(self, function: Function) -> dict[str, float]:
        """Return the time of each native function that it called, per workflow."""
        counts = self._natives.get(function, Counter())
        return {name: count * self._each_s for name, count in counts.items()}


def grown_most(before_s: Mapping[_Key, float], after_s: Mapping[_Key, float]) -> _Key | None:
    """Return the key whose time grew most; None where none grew."""
    grown = dict(after_s)
    for key, time_s in before_s.items():
        grown[key] = grown.get(key, 0.0) - time_s
    if not grown or max(grown.values()) <= 0:
        return None
    return max(sorted(grown), key=lambda key: grown[key])
