"""The schedule of several arrival streams together: when, from which stream, of which kind."""

from __future__ import annotations

import random
from array import array
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.loadgen.plan.arrivals import intended_starts

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.scenario.arrivals import Arrivals
    from perf_pipeline.config.scenario.scenario import Workload


class MergedStreams(NamedTuple):
    """The arrivals of all streams in the order of their times.

    Attributes:
        intended_ns: int64[n], ns after the go, non-decreasing.
        stream_of: int64[n], index of the stream of each.
        kinds: int64[n], index of the workload of each.
    """

    intended_ns: array[int]
    stream_of: array[int]
    kinds: array[int]


def merged_streams(
    streams: tuple[Arrivals, ...],
    workloads: tuple[Workload, ...],
    seed: str,
    mixed: Callable[[tuple[Workload, ...], random.Random], array[int]],
) -> MergedStreams:
    """Draw each stream on its own, and put them together; equal times in the order of the file.

    Args:
        streams: The streams; each has its own draws, so that another stream changes none of them.
        workloads: Of the scenario; a stream without workloads of its own has all of them.
        seed: Of the level.
        mixed: Draws the sequence of kinds of a mix, as indices into it.
    """
    found = []
    for index, stream in enumerate(streams):
        rng = random.Random(f"{seed}/arrivals/{stream.label}")
        times = intended_starts(stream, rng)
        places = [
            at
            for at, workload in enumerate(workloads)
            if not stream.workloads or workload.name in stream.workloads
        ]
        mix = tuple(workloads[at] for at in places)
        kinds = mixed(mix, random.Random(f"{seed}/kinds/{stream.label}"))
        found += [
            (at_ns, index, places[kinds[number % len(kinds)]]) for number, at_ns in enumerate(times)
        ]
    found.sort(key=lambda one: one[:2])
    return MergedStreams(*(array("q", column) for column in zip(*found, strict=True)))
