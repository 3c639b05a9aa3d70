"""The heap by place, from snapshots of this process."""

from __future__ import annotations

import tracemalloc
from tracemalloc import Filter
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.worker.tracing import heap_places
from perf_pipeline.worker.tracing.heap_places import HeapPlaces

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def tracing() -> Iterator[None]:
    """Trace the allocations of this process."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def snapshot() -> tracemalloc.Snapshot:
    """Take a snapshot of what this file and the tracing allocated."""
    files = (__file__, heap_places.__file__, tracemalloc.__file__)
    return tracemalloc.take_snapshot().filter_traces([Filter(True, one) for one in files])


@pytest.mark.usefixtures("tracing")
def test_what_a_line_allocates_between_snapshots_is_its_growth() -> None:
    """10 blocks of 1033 bytes an interval, in a list that has room for them."""
    kept: list[bytes] = [b""] * 30
    places = HeapPlaces(())
    places.add(snapshot())
    for at in range(3):
        for number in range(10):
            kept[10 * at + number] = bytes(1000)
        places.add(snapshot())
    (most, *_) = places.grown_most(5)
    assert most.frames[0].file == __file__
    assert most.blocks == (0, 10, 20, 30)
    assert most.size_bytes == (0, 10_330, 20_660, 30_990)
    assert places.changed() >= 1


@pytest.mark.usefixtures("tracing")
def test_what_the_tracing_allocates_is_in_no_place_and_no_sum() -> None:
    places = HeapPlaces((__file__,))
    for _ in range(3):
        assert places.add(snapshot()) == (0, 0)
    assert places.grown_most(5) == ()


@pytest.mark.usefixtures("tracing")
def test_the_callers_of_a_place_are_those_that_hold_most_of_it() -> None:
    kept = []

    def allocate(size: int) -> None:
        kept.append(bytes(size))

    places = HeapPlaces(())
    places.add(snapshot())
    allocate(10_000)
    places.add(snapshot())
    tracemalloc.stop()
    tracemalloc.start(2)
    allocate(100)
    allocate(50_000)
    places.add_callers(snapshot())
    (most, *_) = places.grown_most(5)
    line = allocate.__code__.co_firstlineno
    assert [frame.line - line for frame in most.frames] == [1, 10]
