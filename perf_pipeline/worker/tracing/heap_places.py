"""The heap by place: what the blocks that each line of code allocated hold at every snapshot."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

from perf_pipeline.samples.allocations.allocation_trace import FrameLine, PlaceSeries

if TYPE_CHECKING:
    from collections.abc import Iterable

    Place = tuple[str, int]
    """File and line that allocated."""


class HeapPlaces:
    """Adds up snapshots by place."""

    def __init__(self, own_files: Iterable[str]) -> None:
        """Begin without a snapshot; what ``own_files`` allocate is the tracing's own."""
        self._own = frozenset((__file__, tracemalloc.__file__, *own_files))
        self._series: dict[Place, list[tuple[int, int]]] = {}
        self._stacks: dict[Place, tuple[int, tuple[FrameLine, ...]]] = {}
        self._snapshots = 0

    def add(self, snapshot: tracemalloc.Snapshot) -> tuple[int, int]:
        """Add a snapshot; returns its bytes and blocks, without the tracing's own."""
        now: dict[Place, tuple[int, int]] = {}
        for line in snapshot.statistics("lineno"):
            (frame,) = line.traceback
            if frame.filename not in self._own:
                now[frame.filename, frame.lineno] = line.size, line.count
        for place in now.keys() - self._series.keys():
            self._series[place] = [(0, 0)] * self._snapshots
        for place, series in self._series.items():
            series.append(now.get(place, (0, 0)))
        self._snapshots += 1
        return sum(size for size, _ in now.values()), sum(blocks for _, blocks in now.values())

    def add_callers(self, snapshot: tracemalloc.Snapshot) -> None:
        """Note for each place the call stack that holds most of it in a later snapshot."""
        for stack in snapshot.statistics("traceback"):
            frames = tuple(FrameLine(one.filename, one.lineno) for one in reversed(stack.traceback))
            place = frames[0].file, frames[0].line
            if stack.size > self._stacks.get(place, (0, ()))[0]:
                self._stacks[place] = stack.size, frames

    def changed(self) -> int:
        """Return how many places differ between any two snapshots."""
        return sum(len(set(series)) > 1 for series in self._series.values())

    def grown_most(self, places: int) -> tuple[PlaceSeries, ...]:
        """Return the places that grew most from the first snapshot to the last, most first."""
        grown = [
            (series[-1][0] - series[0][0], place)
            for place, series in self._series.items()
            if series[-1][0] > series[0][0]
        ]
        return tuple(self._shown(place) for _, place in sorted(grown, reverse=True)[:places])

    def _shown(self, place: Place) -> PlaceSeries:
        _, frames = self._stacks.get(place, (0, (FrameLine(*place),)))
        series = self._series[place]
        return PlaceSeries(
            frames=frames,
            size_bytes=tuple(size for size, _ in series),
            blocks=tuple(blocks for _, blocks in series),
        )
