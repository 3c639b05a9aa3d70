"""Steps and counts, as the code of a workflow uses them."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from perf_pipeline import steps
from perf_pipeline.steps import (
    COLD,
    COUNT,
    FAILED,
    MAX_NAMES,
    NO_WORKFLOW,
    OUTSIDE,
    STEP_WORDS,
    StepBuffer,
    count,
    set_workflow,
    step,
    workflow_of,
)


def recorded(buffer: StepBuffer) -> list[tuple[str, int, int, int]]:
    """Return name, workflow number, value and flags of each record."""
    words, kind_and_index = buffer.pending, (1 << 40) - 1
    rows = [words[at : at + STEP_WORDS] for at in range(0, len(words), STEP_WORDS)]
    return [
        (buffer.names[word & 0xFFFFFFFF], number, value, word & ~kind_and_index)
        for number, _start, value, word in rows
    ]


def test_nested_steps_are_recorded_as_they_end_with_their_workflow(buffer: StepBuffer) -> None:
    """Clock readings 1 and 4 are the outer step's, 2 and 3 those of the inner one."""
    set_workflow(workflow_of(3, 17))
    with step("outer"), step("inner"):
        pass
    assert recorded(buffer) == [("inner", 17, 1, 0), ("outer", 17, 3, 0)]
    assert buffer.pending[3] >> 32 & 0xFF == 3


def test_a_step_that_raises_is_failed_and_its_error_goes_on(buffer: StepBuffer) -> None:
    with pytest.raises(KeyError), step("charge card"):
        raise KeyError
    assert recorded(buffer) == [("charge card", 0, 1, FAILED | OUTSIDE)]


def test_a_cold_start_is_marked_and_what_follows_is_outside(buffer: StepBuffer) -> None:
    set_workflow(workflow_of(0, -1))
    count("rows", 12)
    set_workflow(NO_WORKFLOW)
    count("rows")
    assert recorded(buffer) == [("rows", -1, 12, COUNT | COLD), ("rows", 0, 1, COUNT | OUTSIDE)]


def test_tasks_that_run_at_the_same_time_do_not_mix_up_their_workflows(buffer: StepBuffer) -> None:
    """A hundred workflows, each with two tasks of its own, all in flight at once."""

    async def part() -> None:
        with step("part"):
            await asyncio.sleep(0.001)

    async def workflow(number: int) -> None:
        set_workflow(workflow_of(0, number))
        await asyncio.gather(part(), part())
        with step("whole"):
            await asyncio.sleep(0)

    async def play() -> None:
        await asyncio.gather(*map(workflow, range(100)))

    asyncio.run(play())
    found = sorted((name, number) for name, number, _, _ in recorded(buffer))
    parts = [("part", number) for number in range(100) for _ in range(2)]
    assert found == parts + [("whole", number) for number in range(100)]


def test_threads_have_workflows_of_their_own(buffer: StepBuffer) -> None:
    """Eight threads, 500 steps each, none lost and none with another thread's number."""

    def play(number: int) -> None:
        set_workflow(workflow_of(0, number))
        for _ in range(500):
            with step(f"of {number}"):
                pass

    threads = [threading.Thread(target=play, args=(n,)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = [(name, number) for name, number, _, _ in recorded(buffer)]
    assert sorted(found) == sorted((f"of {n}", n) for n in range(8) for _ in range(500))


def test_the_65th_name_and_names_that_cannot_be_shown_are_counted(buffer: StepBuffer) -> None:
    for name in ("", "x" * 81, "two\nlines", 5):
        with step(name):  # type: ignore[arg-type]
            pass
    for at in range(MAX_NAMES + 3):
        count(f"order {at}")
    assert (len(buffer.names), buffer.unnamed) == (MAX_NAMES, 4 + 3)
    count("order 0")
    assert len(recorded(buffer)) == MAX_NAMES + 1


def test_outside_of_a_worker_steps_do_nothing_and_wrong_counts_raise_all_the_same() -> None:
    steps._set_buffer(None)
    with step("charge card"):
        count("rows", 12)
    with pytest.raises(TypeError):
        count("rows", 1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a count is from 0 to"):
        count("rows", -1)


def test_a_forked_process_records_nothing(buffer: StepBuffer) -> None:
    """It has a copy of the buffer, and a connection to the journal that is not its own."""
    child = os.fork()
    if not child:
        with step("in the child"):
            pass
        os._exit(len(buffer.pending))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_memory_is_bounded_while_the_journal_cannot_be_written(buffer: StepBuffer) -> None:
    for _ in range(steps._MAX_WORDS // STEP_WORDS + 10):
        count("rows")
    assert (len(buffer.pending), buffer.no_room) == (steps._MAX_WORDS, 10)
