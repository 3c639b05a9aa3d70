"""What the selftest of shards would find if a claim were wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.settings import read_settings
from perf_pipeline.metrics.records.level_histograms import FILE as HISTOGRAMS
from perf_pipeline.samples.planned_levels import write_planned_levels
from perf_pipeline.selftest.shards.equality import differences
from perf_pipeline.selftest.shards.meeting import Meeting, clock_of
from perf_pipeline.selftest.shards.played import PlayedShards, scenario
from perf_pipeline.selftest.shards.simulated import SimulatedLoad
from perf_pipeline.shards.barrier import Met
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_order import shard_folder, write_order
from tests.simulated_level import GO_NS
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from perf_pipeline.samples.run_folder import RunFolder

HOSTS = ("gen-0", "gen-1", "gen-2")


@pytest.fixture
def load(tmp_path: Path) -> SimulatedLoad:
    """The load of 6 workers, in a run that is cut into 3 shards."""
    template = write_run(tmp_path, "20260114_093012-4f2c")
    write_planned_levels(template, ())
    (template.level_folders()[0] / "resources.jsonl").touch()
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)
    one = replace(scenario(1, 7), concurrency=(12,), processes=6)
    return SimulatedLoad(template, cut(one, settings, HOSTS, run_id="run-1"), 200, 7)


def _merged(load: SimulatedLoad, run: Path, ahead_ns: list[int]) -> RunFolder:
    write_order(run, load.order)
    met = [Met(GO_NS + ahead, -ahead, 0, 0.0) for ahead in ahead_ns]
    load.write_shards(run, met, [clock_of(index) for index in range(len(HOSTS))])
    return merge_shards(run)


def test_simulated_shards_are_the_run_of_one_host_and_a_planted_difference_is_found(
    load: SimulatedLoad, tmp_path: Path
) -> None:
    """Three clocks, days apart; the plant is a worker whose clock is 1 us off its offset."""
    whole = load.write_whole(tmp_path / "whole", GO_NS)
    wanted = whole, measure(whole)
    ahead_ns = [0, 10**14, 3 * 10**14]
    run = tmp_path / "shards" / "run-1"
    merged = _merged(load, run, ahead_ns)
    assert differences((merged, measure(merged)), wanted, one_machine=False) == []
    records = pl.read_parquet(merged.records)
    assert records.height == records["number"].n_unique() == 6 * 200
    assert (records["number"] % 6 == records["worker"]).all()
    taken_ns = [
        tuple(one["end_ns"] - one["start_ns"])
        for one in records.sort("number").partition_by("worker")
    ]
    assert len(set(taken_ns)) == 6, "no two workers are alike"
    end = shard_folder(run, 1) / "shard.json"
    end.write_text(end.read_text().replace(str(-ahead_ns[1]), str(-ahead_ns[1] + 1_000)))
    merged = merge_shards(run)
    found = differences((merged, measure(merged)), wanted, one_machine=False)
    assert "records.parquet" in found


def test_a_difference_is_found_in_every_file_and_figure(
    load: SimulatedLoad, tmp_path: Path
) -> None:
    """Figures of the machines count where the shards were on one."""
    whole = load.write_whole(tmp_path / "whole", GO_NS)
    metrics = measure(whole)
    merged = _merged(load, tmp_path / "shards" / "run-1", [0, 0, 0])
    measure(merged)

    def found(*, one_machine: bool = True, **changes: Any) -> list[str]:
        levels = (replace(metrics.levels[0], **changes),)
        changed = merged, replace(metrics, levels=levels)
        return differences(changed, (whole, metrics), one_machine=one_machine)

    assert found() == []
    assert found(throughput_per_s=1.0) == ["throughput_per_s"]
    assert found(outcomes={}) == ["outcomes"]
    assert found(outcomes=metrics.levels[0].outcomes | {"ok": 1}) == ["outcomes.ok"]
    assert found(machines=("planted",)) == ["machines"]
    assert found(one_machine=False, machines=("planted",)) == []
    histograms = merged.level_folders()[0] / HISTOGRAMS
    histograms.write_bytes(histograms.read_bytes()[:-1] + b"?")
    assert found() == [HISTOGRAMS]


def test_a_start_beyond_the_stated_errors_of_two_clocks_is_counted() -> None:
    errors_ns, go_ns = (100, 50, 50, 50), [0, 150, 151, -152]
    met = [Met(0, 0, error, 0.0) for error in errors_ns]
    meeting = Meeting(met, go_ns, [], 1.0)
    assert (meeting.skew_ns, meeting.beyond_errors_ns) == (303, [1, 2])


def test_a_workflow_that_is_played_twice_or_by_another_shard_is_counted() -> None:
    """Of two shards with a worker each the first has the even numbers."""

    def frames(*numbers: list[int]) -> list[pl.DataFrame]:
        return [
            pl.DataFrame({"number": own, "start_ns": np.array(own) * 1_000 + 5 * at})
            for at, own in enumerate(numbers)
        ]

    well, twice, swapped = frames([0, 2], [1, 3]), frames([0, 0], [1]), frames([1], [0])
    assert PlayedShards(Path(), 0, [well]).not_once() == 0
    assert PlayedShards(Path(), 0, [well, twice]).not_once() == 1
    assert PlayedShards(Path(), 0, [swapped]).not_once() == 2
    assert PlayedShards(Path(), 0, [well, swapped]).skews_ns() == [1_005, 995]
