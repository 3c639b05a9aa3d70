"""What is read off the record of a run in shards: its machines, and how far apart it started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.shards.shard_folders import is_of_merged_shard, is_unmerged
from perf_pipeline.samples.shards.sharded_run import ShardedRun, ShardRecord, machine_name

if TYPE_CHECKING:
    from pathlib import Path


def shard(index: int, host: str, boot_id: str, **late_ns: int) -> ShardRecord:
    return ShardRecord(index, host, boot_id, None, None, 1, 0, late_ns)


def test_start_skew_is_between_the_earliest_and_the_latest_shard_of_a_level() -> None:
    """All are late to the plan; a level that one shard alone started has none."""
    run = ShardedRun(
        (shard(0, "a", "x", l0=30, l1=5), shard(1, "b", "y", l0=10), shard(2, "c", "z", l0=70))
    )
    assert [run.start_skew_ns(level) for level in ("l0", "l1", "l2")] == [60, None, None]


def test_shards_of_one_boot_ran_on_one_machine() -> None:
    """Those that never began are not known to share one; a name may be that of two machines."""
    shards = (
        shard(0, "a", "x"),
        shard(1, "b", "y"),
        shard(2, "c", "x"),
        shard(3, "d", ""),
        shard(4, "e", ""),
        shard(5, "b", "z"),
    )
    machines = ShardedRun(shards).machines
    assert [[one.index for one in machine] for machine in machines] == [[0, 2], [1], [3], [4], [5]]
    assert machine_name(machines[0]) == "a, c"


def test_the_files_of_a_shard_are_those_of_its_run_once_it_is_merged(tmp_path: Path) -> None:
    run = tmp_path / "r-1"
    own, journal = run / "metrics.json", run / "shards" / "000" / "r-1" / "worker-0.sqlite"
    assert not is_unmerged(run)
    (run / "shards").mkdir(parents=True)
    (run / "shards" / "order.json").touch()
    assert is_unmerged(run)
    assert not is_of_merged_shard(journal, tmp_path)
    (run / "run.json").touch()
    assert not is_unmerged(run)
    assert is_of_merged_shard(journal, tmp_path)
    assert not is_of_merged_shard(own, tmp_path)
