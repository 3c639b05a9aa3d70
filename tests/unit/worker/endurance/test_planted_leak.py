"""A slot that leaks on purpose leaks its share of the process, and executes as the other."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import pytest

from perf_pipeline.worker.endurance.planted_leak import LeakingSlot, PlantedLeak, unshared_bytes

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


@pytest.mark.parametrize("workflows", [CALLS, 10 * CALLS, 100 * CALLS])
def test_all_workflows_together_leak_their_share_of_memory_and_of_the_heap(workflows: int) -> None:
    """Of 64 MB and 400,000 blocks: 3.2 MB in 20,000 blocks, in 0.025 to 2.5 objects a workflow.

    A hundred lists may come from the free list of the interpreter, which are blocks already.
    """
    inner = _Slot()
    leak = PlantedLeak(0.05, workflows)
    slot = LeakingSlot(inner, leak)
    slot.execute(1, 0)
    leak.begin(64_000_000, 400_000)
    gc.collect()  # what tests before this one left must not be freed meanwhile
    tracemalloc.start()
    before_bytes, before_blocks = tracemalloc.get_traced_memory()[0], sys.getallocatedblocks()
    for number in range(100, 100 + CALLS):
        slot.execute(1, number)
    grown_blocks = sys.getallocatedblocks() - before_blocks
    grown_bytes = tracemalloc.get_traced_memory()[0] - before_bytes
    tracemalloc.stop()
    assert inner.executed == CALLS + 1
    assert grown_bytes == pytest.approx(3_200_000 * CALLS / workflows, rel=0.05, abs=4000)
    assert grown_blocks == pytest.approx(20_000 * CALLS / workflows, rel=0.05, abs=100)


def test_a_target_twice_as_large_leaks_twice_as_much() -> None:
    leaks = [PlantedLeak(0.05, CALLS) for _ in range(2)]
    grown = []
    for size, leak in zip((1, 2), leaks, strict=True):
        leak.begin(size * 64_000_000, size * 400_000)
        gc.collect()  # no garbage of before may be collected while blocks are counted
        before = sys.getallocatedblocks()
        for _ in range(CALLS):
            leak.keep()
        grown.append(sys.getallocatedblocks() - before)
    assert grown[1] == pytest.approx(2 * grown[0], rel=0.1)


def test_the_unshared_memory_of_this_process_grows_with_what_it_writes() -> None:
    before = unshared_bytes()
    held = bytearray(b"x") * 50_000_000
    assert unshared_bytes() - before == pytest.approx(len(held), rel=0.1)


def test_a_workflow_that_fails_fails_as_without_the_leak() -> None:
    with pytest.raises(ValueError, match="unlucky"):
        LeakingSlot(_Slot(), PlantedLeak(0.05, 1)).execute(1, 13)
