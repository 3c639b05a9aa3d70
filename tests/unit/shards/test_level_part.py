"""The parts of a level in one clock: offsets, their errors, and what is no part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import RunFolderError
from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.samples.run_folder import RunFolder, write_json
from perf_pipeline.samples.run_record import COMPLETE, FAILED, INTERRUPTED, KILLED, NOT_SEEN
from perf_pipeline.shards.clock import ClockOffset
from perf_pipeline.shards.level_part import level_parts, with_own_go
from perf_pipeline.shards.shard_end import ShardEnd
from perf_pipeline.shards.shard_part import ShardPart

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_record import RunRecord
    from perf_pipeline.shards.level_part import LevelPart

LEVEL = "00-10"
COUNT = 3


def record_of(boot: str, status: str, why: str = "") -> RunRecord:
    return {
        "run_id": "r-1",
        "scenario": "simulated",
        "status": status,
        "process": (1, 2, boot, 3),
        "started_at": "2026-01-14T09:30:12",
        "why": why,
    }


def shard(
    results: Path,
    index: int,
    go_ns: int | None,
    *,
    boot: str,
    clock: str = "",
    offset_ns: int = 0,
    error_ns: int | None = None,
    plan: str = "of the order",
) -> ShardPart:
    """A shard that began the level; killed where it has no clock, not met without an error."""
    folder = RunFolder(results / str(index))
    (folder.root / "levels" / LEVEL).mkdir(parents=True)
    log = {"plan": {"sha256": plan, "processes": COUNT}, "go_ns": go_ns, "ended_at": ""}
    write_json(folder.root / "levels" / LEVEL / "level.json", log)
    met = {} if error_ns is None else {LEVEL: ClockOffset(offset_ns, error_ns)}
    # Of a meeting only what it says of the clock counts.
    end = ShardEnd(index, COUNT, f"gen-{index}", clock, met) if clock else None  # type: ignore[arg-type]
    record = record_of(boot, COMPLETE if clock else KILLED)
    return ShardPart(Share(index, COUNT), f"gen-{index}", folder, record, None, end)


def clocks(*shards: ShardPart) -> list[tuple[int, int | None]]:
    return [(part.offset_ns, part.clock_error_ns) for part in level_parts(shards, LEVEL)]


def test_every_clock_is_moved_to_that_of_the_first_shard_that_loaded(tmp_path: Path) -> None:
    """To the time of Redis are added 1000 and 400 ns: from the third to the second are 600."""
    never = shard(tmp_path, 0, None, boot="x", clock="x-0")
    first = shard(tmp_path, 1, 5000, boot="y", clock="y-0", offset_ns=1000, error_ns=10)
    other = shard(tmp_path, 2, 5600, boot="z", clock="z-0", offset_ns=400, error_ns=30)
    assert clocks(never, first, other) == [(0, None), (0, 0), (-600, 40)]


def test_one_clock_has_no_offset_and_a_time_namespace_makes_it_another(tmp_path: Path) -> None:
    """Round trips differ by 3 ns, which is their error and not that of the clock."""
    first = shard(tmp_path, 0, 5000, boot="x", clock="x-0", offset_ns=1000, error_ns=10)
    same = shard(tmp_path, 1, 5000, boot="x", clock="x-0", offset_ns=1003, error_ns=10)
    namespace = shard(tmp_path, 2, 4000, boot="x", clock="x-1", offset_ns=2000, error_ns=10)
    assert clocks(first, same, namespace) == [(0, 0), (0, 0), (1000, 20)]


def test_a_killed_shard_is_moved_by_its_go_and_nobody_knows_the_error(tmp_path: Path) -> None:
    """It left no offset; on the machine of the first one it needs none."""
    first = shard(tmp_path, 0, 5000, boot="x", clock="x-0", offset_ns=1000, error_ns=10)
    near, far = (
        shard(tmp_path, at, go, boot=boot) for at, go, boot in ((1, 5000, "x"), (2, 7000, "z"))
    )
    assert clocks(first, near, far) == [(0, 0), (0, 0), (-2000, None)]


def test_every_part_is_of_the_plan_of_the_first(tmp_path: Path) -> None:
    parts = [shard(tmp_path, index, 5000, boot="x", clock="x-0") for index in range(2)]
    other = shard(tmp_path, 2, 5000, boot="x", clock="x-0", plan="another")
    with pytest.raises(RunFolderError, match=r"shard 2 \(host gen-2\) played the plan another"):
        level_parts([*parts, other], LEVEL)


def test_parts_that_began_by_themselves_are_moved_to_one_go(tmp_path: Path) -> None:
    shards = [shard(tmp_path, at, 5000 + 100 * at, boot="x", clock="x-0") for at in range(COUNT)]
    parts: tuple[LevelPart, ...] = with_own_go(level_parts(shards, LEVEL), 6000)
    assert [part.at_ns(part.log["go_ns"]) for part in parts] == [6000] * COUNT


@pytest.mark.parametrize(
    ("record", "of_end", "why"),
    [
        (record_of("x", COMPLETE), "", ""),
        (None, None, "did not begin: nothing of it is in "),
        (None, "no Redis", "did not begin: no Redis"),
        (record_of("x", KILLED, "gone"), None, "was killed: gone"),
        (record_of("x", KILLED, "gone"), "lost", "was killed: lost"),
        (record_of("x", FAILED, "gone"), "lost", "failed: lost"),
        (record_of("x", INTERRUPTED, "Ctrl-C"), "SomeError: ", "was interrupted: Ctrl-C"),
        (record_of("x", NOT_SEEN), None, f"did not end well, it is {NOT_SEEN}"),
    ],
)
def test_why_a_shard_did_not_end_well(
    tmp_path: Path, record: RunRecord | None, of_end: str | None, why: str
) -> None:
    end = None if of_end is None else ShardEnd(1, 2, "gen-b", "x-0", {}, of_end)
    part = ShardPart(Share(1, 2), "gen-b", RunFolder(tmp_path), record, None, end)
    assert part.why.removeprefix("shard 1 (host gen-b) ").removesuffix(str(tmp_path)) == why
