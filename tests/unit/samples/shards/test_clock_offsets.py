"""Every time that is read from a worker's files is in the clock of the level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.journal_tail import JournalTail
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.shards.clock_offsets import (
    read_clock_offsets,
    worker_of,
    write_clock_offsets,
)
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, at_s, write_level

if TYPE_CHECKING:
    from pathlib import Path

AHEAD_NS = 10**12


def a_level(folder: Path) -> Path:
    """Two workers; the second one was killed with a workflow in flight."""
    killed = SimulatedWorker(
        [at_s(1, 0.5, 1.0)], in_flight=[(1, 3, GO_NS + 2 * SECOND)], closed=False
    )
    return write_level(folder, [SimulatedWorker([at_s(0, 0.5, 1.0)]), killed], slots=2)


def test_records_commits_and_stamps_of_one_worker_are_moved(tmp_path: Path) -> None:
    level = a_level(tmp_path / "level")
    before = read_level(level, 1)
    write_clock_offsets(level, {0: 0, 1: AHEAD_NS})
    after = read_level(level, 1)
    assert after.workers[0].frame.equals(before.workers[0].frame)
    for name in ("intended_start_ns", "start_ns", "end_ns"):
        moved = after.workers[1].frame[name] - before.workers[1].frame[name]
        assert moved.to_list() == [AHEAD_NS] * 2, "the record, and the one made of the stamp"
    (was,) = before.workers[1].journal.commits_ns
    assert after.workers[1].journal.commits_ns == (was + AHEAD_NS,)


def test_blocks_are_followed_by_the_clock_of_the_level(tmp_path: Path) -> None:
    level = a_level(tmp_path / "level")
    write_clock_offsets(level, {1: AHEAD_NS})
    tail = JournalTail(level)
    assert [block.journal for block in tail.new_blocks(GO_NS + 5 * SECOND)] == ["worker-0.sqlite"]
    assert [block.committed_ns for block in tail.new_blocks()] == [GO_NS + SECOND + AHEAD_NS]


def test_a_level_of_one_clock_has_no_offsets(tmp_path: Path) -> None:
    write_clock_offsets(tmp_path, {0: 0, 1: 0})
    assert list(tmp_path.iterdir()) == []
    assert read_clock_offsets(tmp_path) == {}


def test_an_offset_is_of_the_worker_whose_number_is_in_the_name(tmp_path: Path) -> None:
    offsets_ns = {3: -AHEAD_NS, 13: AHEAD_NS}
    write_clock_offsets(tmp_path, offsets_ns)
    assert read_clock_offsets(tmp_path) == offsets_ns
    names = ("worker-3.sqlite", "worker-13.sqlite", "worker-.sqlite", "other.sqlite")
    assert [worker_of(tmp_path / name) for name in names] == [3, 13, -1, -1]


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', '{"1": 0.5}', '{"1": null}'])
def test_what_is_no_offset_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "clock_offsets.json").write_text(text)
    with pytest.raises(RunFolderError, match="does not hold an offset"):
        read_clock_offsets(tmp_path)
