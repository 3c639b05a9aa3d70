"""The progress of a run in shards, from the folders in which its shards grow."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.cli.shards.shards_watch import ShardsWatch
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.loadgen.supervise.level_log import Progress
from perf_pipeline.monitoring.run_progress import OVERHEAD_S
from perf_pipeline.samples.planned_levels import PlannedLevel, write_planned_levels
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.slots import Totals
from perf_pipeline.shards.shard_order import shard_folder

if TYPE_CHECKING:
    from pathlib import Path

PHASES = Phases(ramp_up_s=1.0, warm_up_s=2.0, steady_s=10.0, cooldown_s=4.0)
LEVELS = tuple(PlannedLevel(label, "", 40, "closed", PHASES) for label in ("few", "many"))


def begin(run: RunFolder, index: int) -> RunFolder:
    shard = RunFolder(shard_folder(run.root, index))
    shard.begin("s")
    write_planned_levels(shard, LEVELS)
    return shard


def report(shard: RunFolder, level: int, elapsed_s: float, ended: int, rate_per_s: float) -> None:
    label = LEVELS[level].label
    (shard.root / "levels" / f"{level:02d}-{label}").mkdir(parents=True, exist_ok=True)
    totals = Totals(started=ended + 20, ended=ended, failed=1)
    progress = Progress(label, "steady", elapsed_s=elapsed_s, totals=totals, rate_per_s=rate_per_s)
    with (shard.root / "progress.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(progress)) + "\n")


def test_the_progress_is_the_sum_of_the_shards(tmp_path: Path) -> None:
    """Nothing before one has begun; then those that have; what is left follows from the phases."""
    run = RunFolder(tmp_path / "run")
    watch = ShardsWatch(run, 2)
    assert watch.look() is None
    first, second = begin(run, 0), begin(run, 1)
    report(first, 0, 5.0, 100, 30.0)
    alone = watch.look()
    assert alone is not None
    assert (alone.in_flight, alone.ended, alone.rate_per_s) == (20, 100, 30.0)
    report(second, 0, 4.0, 60, 10.0)
    both = watch.look()
    assert both is not None
    assert (both.in_flight, both.ended, both.failed, both.rate_per_s) == (40, 160, 2, 40.0)
    assert (both.wanted, both.elapsed_s, both.concerns) == (40, 4.0, ())
    level_s = 1 + 2 + 10 + OVERHEAD_S + 4
    assert both.left_s == pytest.approx(2 * level_s - 4)


def test_the_run_is_as_far_as_its_last_shard(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    watch = ShardsWatch(run, 2)
    first, second = begin(run, 0), begin(run, 1)
    report(first, 0, 9.0, 100, 30.0)
    report(second, 0, 9.0, 70, 30.0)
    watch.look()
    report(first, 1, 1.0, 7, 5.0)
    found = watch.look()
    assert found is not None
    assert (found.index, found.shown, found.ended) == (0, "few", 70)
