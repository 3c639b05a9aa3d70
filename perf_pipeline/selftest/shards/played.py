"""Real shards on this machine: processes that play their shares of one plan and meet at a Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.shard_order import order_file, shard_folder, write_order

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

HOSTS = ("gen-a", "gen-b")
WORKERS_A_HOST = 1
_SLOTS = 4
_LIMIT_S = 600.0
_SHARD = (
    "import sys; from pathlib import Path; "
    "from perf_pipeline.config.settings import current_settings; "
    "from perf_pipeline.shards.play_shard import play_shard; "
    "play_shard(Path(sys.argv[1]), int(sys.argv[2]), current_settings())"
)


@dataclass(frozen=True)
class PlayedShards:
    """A run in shards that has ended.

    Attributes:
        run: Its folder.
        failed: Shards that did not end well.
        frames: Of each level, the records of each shard, without cold starts.
    """

    run: Path
    failed: int
    frames: list[list[pl.DataFrame]]

    def skews_ns(self) -> list[int]:
        """Return the time between the first start of the earliest and latest shard, by level."""
        starts = [[int(frame["start_ns"].min()) for frame in level] for level in self.frames]  # type: ignore[arg-type]
        return [max(level) - min(level) for level in starts]

    def not_once(self) -> int:
        """Count the workflows that were played twice, or by a shard whose they are not."""
        processes = len(HOSTS) * WORKERS_A_HOST
        wrong = 0
        for level in self.frames:
            numbers = [number for frame in level for number in frame["number"].to_list()]
            wrong += len(numbers) - len(set(numbers))
            for index, frame in enumerate(level):
                owners = (frame["number"] % processes % len(HOSTS)).to_list()
                wrong += sum(owner != index for owner in owners)
        return wrong


def scenario(levels: int, seed: int) -> Scenario:
    """Return the scenario that is cut: short closed levels of one kind, without servers."""
    return Scenario(
        "shards",
        seed=seed,
        target="control",
        nodes="lean",
        concurrency=(_SLOTS,),
        repeats=levels,
        processes=len(HOSTS) * WORKERS_A_HOST,
        workloads=(Workload("transformation", "simple"),),
        phases=Phases(ramp_up_s=0.0, warm_up_s=0.1, steady_s=0.4, drain_s=2.0, cooldown_s=0.0),
        sample_every_s=0.2,
    )


def play(url: str, run: Path, levels: int, seed: int) -> PlayedShards:
    """Play a run in shards, each in a process of its own.

    Args:
        url: Of the Redis where they meet.
        run: Folder of the run; must not exist.
        levels: How often they meet, and start.
        seed: Of the run.

    Raises:
        PerfPipelineError: A shard stored nothing of a level.
    """
    settings = replace(current_settings(), urls={}, shards_url=url)
    order = cut(scenario(levels, seed), settings, HOSTS, run_id=run.name)
    write_order(run, order)
    environ = {
        **os.environ,
        "PERF_PIPELINE_SHARDS_URL": url,
        # This selftest has the lock of the host itself, so that no other load disturbs it.
        "PERF_PIPELINE_LOAD_LOCK": str(run.parent / "load.lock"),
    }
    command = [sys.executable, "-c", _SHARD, str(order_file(run))]
    shards = [
        subprocess.Popen([*command, str(index)], env=environ, stdout=subprocess.DEVNULL)
        for index in range(len(HOSTS))
    ]
    try:
        failed = sum(shard.wait(_LIMIT_S) != 0 for shard in shards)
    finally:
        for shard in shards:
            shard.kill()
    frames = [
        [_records(shard_folder(run, index) / "levels" / name) for index in range(len(HOSTS))]
        for name in order.plan_sha256
    ]
    return PlayedShards(run, failed, frames)


def _records(folder: Path) -> pl.DataFrame:
    frame = read_level(folder, 1).frame
    warm = frame.filter(frame["number"] >= 0)
    if warm.is_empty():
        raise PerfPipelineError(f"{folder}: this shard stored no record of the level")
    return warm
