"""The largest level follows from the tightest limit, with the arithmetic in its sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.cgroup import Allowance
from perf_pipeline.config.level_bounds import largest_level, level_bounds, mode_of
from perf_pipeline.config.stacks import StackLimits

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

MB = 1_000_000


def test_a_workflow_takes_three_descriptors_and_a_process_two_hundred(
    machine: MachineLimits,
) -> None:
    bound = largest_level(replace(machine, descriptors_hard=1024), 2)
    assert (bound.what, bound.level) == ("descriptors", (1024 - 200) // 3 * 2)
    assert bound.arithmetic == (
        "2 worker processes x (1024 file descriptors, the hard limit, - 200) / 3 a workflow = 548"
    )
    assert largest_level(replace(machine, descriptors_hard=100), 2).level == 0


def test_the_remedy_for_descriptors_is_enough(machine: MachineLimits) -> None:
    for processes in (1, 2, 3, 7):
        short = largest_level(replace(machine, descriptors_hard=300), processes)
        needed = int(short.remedy.split("-Hn ")[1].split()[0])
        enough = largest_level(replace(machine, descriptors_hard=needed), processes)
        too_few = largest_level(replace(machine, descriptors_hard=needed - 3), processes)
        assert enough.level == 2000 * processes
        assert too_few.level < 2000 * processes


def test_memory_is_what_machine_and_group_both_have(machine: MachineLimits) -> None:
    tight = replace(machine, memory_group=Allowance(1_500_000_000, 700_000_000, "memory.max"))
    bound = largest_level(tight, 2)
    assert (bound.what, bound.level) == ("memory", (800_000_000 - 720_000_000) // 72_000)
    assert largest_level(replace(tight, memory_available_bytes=10), 2).level == 0


def test_a_thread_a_workflow_counts_against_the_tasks(machine: MachineLimits) -> None:
    bound = largest_level(replace(machine, tasks=Allowance(1000, 150, "ulimit -u")), 2)
    assert (bound.what, bound.level) == ("tasks", 1000 - 150 - 2 - 200)
    assert bound.remedy == "raise ulimit -u"


def test_a_machine_without_limits_still_has_the_limit_of_threads(machine: MachineLimits) -> None:
    endless = replace(machine, descriptors_hard=None, memory_available_bytes=None)
    assert [(b.what, b.level) for b in level_bounds(endless, 2)] == [("slots", 4000)]


def test_tasks_of_an_event_loop_take_no_descriptors_and_no_threads(machine: MachineLimits) -> None:
    """What stops threads at 100 does not stop tasks; memory does, at 20 kB each."""
    tight = replace(
        machine,
        descriptors_hard=350,
        tasks=Allowance(1000, 900, "ulimit -u"),
        memory_available_bytes=920_000_000,
    )

    assert largest_level(tight, 2, "threads").level == 0
    bound = largest_level(tight, 2, "asyncio")
    assert (bound.what, bound.level) == ("memory", (920_000_000 - 720_000_000) // 20_000)
    assert mode_of("kailash_async+pandas") == "asyncio"
    assert mode_of("kailash==2.19.0") == "threads"


@pytest.mark.parametrize(
    ("stacks", "what", "level"),
    [
        (StackLimits(8 << 20), "slots", 4000),
        (StackLimits(8 << 20, address_space_bytes=2_000 * MB), "address space", 2 * 119),
        (StackLimits(8 << 20, address_space_bytes=900 * MB), "address space", 0),
        (StackLimits(8 << 20, maps_max=2_500), "memory maps", 2 * 500),
        (StackLimits(30_000 * MB, largest_bytes=25_000 * MB), "stack size", 0),
        (StackLimits(20_000 * MB, largest_bytes=25_000 * MB), "slots", 4000),
        (StackLimits(10 * MB, commit_free_bytes=1_720 * MB), "committed memory", 100),
    ],
)
def test_the_stacks_of_many_threads_have_limits_of_their_own(
    machine: MachineLimits, stacks: StackLimits, what: str, level: int
) -> None:
    """An asynchronous target has no thread a workflow, so they do not hold for it."""
    limits = replace(machine, stacks=stacks)

    found = largest_level(limits, 2)
    assert (found.what, found.level) == (what, level)
    assert largest_level(limits, 2, "asyncio").what not in {what} - {"slots"}


def test_the_arithmetic_of_an_address_space_names_both_limits_and_the_remedy(
    machine: MachineLimits,
) -> None:
    stacks = StackLimits(8 << 20, address_space_bytes=2_000 * MB)
    bound = largest_level(replace(machine, stacks=stacks), 2)

    assert bound.arithmetic == (
        "2 worker processes x (2000 MB of address space (ulimit -v, -d) - 1000 MB) / stacks of "
        "8.4 MB (ulimit -s) = 238"
    )
    assert bound.remedy == "raise ulimit -v, or lower ulimit -s"
