"""A slot that leaks on purpose keeps what it says, and executes as the other."""

from __future__ import annotations

import sys
import tracemalloc

import pytest

from perf_pipeline.worker.endurance.planted_leak import LeakingSlot

CALLS = 2000


class _Slot:
    """Counts what it executes, and raises for number 13."""

    def __init__(self) -> None:
        self.executed = 0

    def execute(self, kind: int, number: int) -> None:
        assert kind == 1
        if number == 13:
            raise ValueError("unlucky")
        self.executed += 1


@pytest.mark.parametrize("leak_bytes", [64, 2000])
def test_each_workflow_leaks_its_bytes_and_at_least_two_blocks_of_the_heap(leak_bytes: int) -> None:
    """Whether or not the interpreter takes the bytes from its own heap: it does up to 512."""
    inner = _Slot()
    slot = LeakingSlot(inner, leak_bytes)
    slot.execute(1, 0)
    tracemalloc.start()
    before_bytes, before_blocks = tracemalloc.get_traced_memory()[0], sys.getallocatedblocks()
    for number in range(100, 100 + CALLS):
        slot.execute(1, number)
    grown_blocks = sys.getallocatedblocks() - before_blocks
    grown_bytes = tracemalloc.get_traced_memory()[0] - before_bytes
    tracemalloc.stop()
    assert inner.executed == CALLS + 1
    assert leak_bytes * CALLS < grown_bytes < (leak_bytes + 300) * CALLS
    assert grown_blocks >= 2 * CALLS


def test_a_workflow_that_fails_fails_as_without_the_leak() -> None:
    with pytest.raises(ValueError, match="unlucky"):
        LeakingSlot(_Slot(), 64).execute(1, 13)
