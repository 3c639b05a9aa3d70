"""Steps in a worker's journal, and what is read of a foreign or damaged one."""

from __future__ import annotations

import itertools
import sqlite3
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.journal import JournalWriter, read_journal, read_steps
from perf_pipeline.samples.steps.level_steps import level_steps, read_level_steps
from perf_pipeline.samples.steps.step_journal import JournalSteps
from perf_pipeline.steps import COUNT, FAILED, OUTSIDE, StepBuffer, workflow_of

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, names: tuple[str, ...] = ("pay", "pack")) -> StepBuffer:
    """Write a journal with three steps and a count in two blocks; returns its buffer."""
    buffer = StepBuffer(itertools.count().__next__)
    writer = JournalWriter(path)
    steps = writer.step_writer(buffer)
    buffer.add(names[0], 100, 7, 0, workflow_of(0, 4))
    buffer.add(names[1], 200, 8, FAILED, workflow_of(1, 5))
    steps.commit(1)
    buffer.add(names[0], 300, 9, 0, (0, OUTSIDE))
    buffer.add(names[1], 400, 12, COUNT, workflow_of(0, -1))
    buffer.unnamed = 3
    steps.commit(2)
    writer.close()
    return buffer


def test_steps_are_read_back_as_they_were_recorded(tmp_path: Path) -> None:
    buffer = written(tmp_path / "worker-0.sqlite")
    assert not buffer.pending
    frame = level_steps(read_level_steps(tmp_path), 6)
    assert frame.rows() == [
        (6, 0, 4, 0, "pay", 100, 7, False, False, False),
        (6, 0, 5, 1, "pack", 200, 8, False, False, True),
        (6, 0, None, None, "pay", 300, 9, False, False, False),
        (6, 0, -1, 0, "pack", 400, 12, True, True, False),
    ]
    assert read_level_steps(tmp_path).unnamed == 3


def test_names_of_two_workers_are_one_list(tmp_path: Path) -> None:
    """Each worker numbers the names as they come."""
    written(tmp_path / "worker-0.sqlite")
    written(tmp_path / "worker-1.sqlite", ("pack", "pay"))
    frame = level_steps(read_level_steps(tmp_path), 0)
    assert frame.group_by("worker", "name").len().sort("worker", "name").rows() == [
        (0, "pack", 2), (0, "pay", 2), (1, "pack", 2), (1, "pay", 2),
    ]  # fmt: skip


def test_a_journal_of_an_earlier_version_has_no_steps(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.sqlite"
    JournalWriter(path).close()
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE step_block")
    assert read_steps(path) == JournalSteps()
    assert read_level_steps(tmp_path).is_empty
    assert read_journal(path).payload == b""


@pytest.mark.parametrize(
    ("change", "left", "damaged"),
    [
        ("UPDATE step_block SET crc = crc + 1 WHERE seq = 1", 2, 1),
        ("UPDATE step_block SET payload = 'text' WHERE seq = 2", 2, 1),
        ("UPDATE step_block SET payload = zeroblob(31), crc = 3735928559", 0, 2),
        ("UPDATE step_name SET name = char(10) WHERE place = 1", 2, 2),
        ("UPDATE step_name SET place = 4000000000 WHERE place = 1", 2, 2),
        ("UPDATE step_name SET place = -1, name = 5 WHERE place = 1", 2, 2),
        ("UPDATE step_block SET unnamed = 'many'", 4, 0),
    ],
)
def test_what_is_damaged_is_left_out_and_counted(
    tmp_path: Path, change: str, left: int, damaged: int
) -> None:
    path = tmp_path / "worker-0.sqlite"
    written(path)
    with sqlite3.connect(path) as db:
        db.execute(change)
    found = read_level_steps(tmp_path)
    assert (len(found.rows), found.damaged) == (left, damaged)
