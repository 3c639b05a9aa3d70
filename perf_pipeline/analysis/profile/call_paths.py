"""The own CPU time of every call path on both sides: what the flame graph is drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.profile.python_calls import shown_frames
from perf_pipeline.metrics.types.profile import StackCost

if TYPE_CHECKING:
    from perf_pipeline.analysis.profile.arm_samples import ArmSamples

MIN_SHARE = 0.001
"""A path with a smaller share of the CPU time on both sides is added to the path of its caller."""


def call_path_costs(baseline: ArmSamples, candidate: ArmSamples) -> tuple[StackCost, ...]:
    """Return the own time of every call path per workflow, the costliest first."""
    sides = [_times_s(baseline), _times_s(candidate)]
    limits_s = [MIN_SHARE * sum(times.values()) for times in sides]
    both: dict[tuple[str, ...], tuple[float, float]] = {
        path: (sides[0].get(path, 0.0), sides[1].get(path, 0.0)) for path in {*sides[0], *sides[1]}
    }
    for depth in range(max(map(len, both), default=0), 1, -1):
        for path in [one for one in both if len(one) == depth]:
            before_s, after_s = both[path]
            if before_s <= limits_s[0] and after_s <= limits_s[1]:
                above_s = both.get(path[:-1], (0.0, 0.0))
                both[path[:-1]] = above_s[0] + before_s, above_s[1] + after_s
                del both[path]
    costs = [StackCost(path, *times_s) for path, times_s in both.items()]
    return tuple(sorted(costs, key=lambda one: (-max(one.baseline_s, one.candidate_s), one.frames)))


def _times_s(side: ArmSamples) -> dict[tuple[str, ...], float]:
    if not side.samples or not side.cpu_per_workflow_s:
        return {}
    each_s = side.cpu_per_workflow_s / side.samples
    times: dict[tuple[str, ...], float] = {}
    for stack, count in side.stacks.items():
        path = shown_frames(stack)
        times[path] = times.get(path, 0.0) + count * each_s
    return times
