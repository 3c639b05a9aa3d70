"""What the target's processes cost that ended between two samples, or were not read.

``tree_cpu_s`` of a worker contains the CPU time of all that it has started, ended ones included
(``host/target_processes.py``). What neither the worker nor a child that a sample shows has used is
theirs.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from perf_pipeline.host.target_processes import CPU as TARGET_CPU
from perf_pipeline.metrics.resources.counters import steps
from perf_pipeline.metrics.types.resource_use import EndedChildren

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample

MIN_S = 0.05
"""Less is the difference of the moments at which a sample reads the same process twice."""


def ended_children_of(samples: Sequence[Sample]) -> EndedChildren | None:
    """Return what they cost in the steady phase; None if there was nothing of it.

    Args:
        samples: The monitor's lines of the steady phase.
    """
    by_end = {after["at_ns"]: (before, after) for before, after in pairwise(samples)}
    own = {step.at_ns: step.growth for step in steps(samples, "workers", "cpu_s")}
    cpu_s = seconds = 0.0
    seen = 0
    for step in steps(samples, "workers", TARGET_CPU):
        if step.at_ns not in own:
            continue
        then, now = (
            {child["pid"]: child["cpu_s"] for child in sample.get("children", ())}
            for sample in by_end[step.at_ns]
        )
        alive = sum(used - then.get(pid, 0.0) for pid, used in now.items())
        cpu_s += step.growth - own[step.at_ns] - alive
        seconds += step.elapsed_s
        seen += len(then.keys() - now.keys())
    if not seconds or (cpu_s < MIN_S and not seen):
        return None
    return EndedChildren(max(0.0, cpu_s) / seconds, seen)
