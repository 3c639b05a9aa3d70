"""Two processes play the shards of one plan: every workflow once, from one instant on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl
import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import read_settings
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.report.shards.hosts import hosts_table
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_end import read_shard_end
from perf_pipeline.shards.shard_order import order_file, shard_folder, write_order
from tests.sandbox import BIN

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

SCENARIO = Scenario(
    "two",
    seed=7,
    target="control",
    nodes="lean",
    concurrency=(8,),
    processes=3,
    workloads=(Workload("transformation", "simple"),),
    phases=Phases(ramp_up_s=0.2, warm_up_s=0.3, steady_s=0.5, drain_s=2.0),
)

_MINE = """
target = "control"
concurrency = [8]

[phases]
duration = 1

[[workload]]
family = "transformation"
complexity = "simple"
"""

_SHARD = """
import sys
from pathlib import Path
from perf_pipeline.config.settings import current_settings
from perf_pipeline.shards.play_shard import play_shard
play_shard(Path(sys.argv[1]), int(sys.argv[2]), current_settings(), notify=print)
"""


def test_shards_play_every_workflow_once_from_one_instant_on(tmp_path: Path) -> None:
    """Three workers in two shards; both are on this machine, so the go is one number."""
    environ = {**os.environ, "TMPDIR": str(tmp_path), "PERF_PIPELINE_LOAD_LOCK": f"{tmp_path}/lock"}
    settings = read_settings(environ, current_dir=tmp_path)
    run = tmp_path / "results" / "two-1"
    write_order(run, cut(SCENARIO, settings, ("a", "b"), run_id=run.name))
    with ServiceSession(settings, ["redis"]) as session:
        environ["PERF_PIPELINE_SHARDS_URL"] = session.servers["redis"].url
        command = [sys.executable, "-c", _SHARD, str(order_file(run))]
        shards = [subprocess.Popen([*command, str(one)], env=environ) for one in range(2)]
        assert [shard.wait() for shard in shards] == [0, 0]
    folders = [shard_folder(run, index) / "levels" / "00-8" for index in range(2)]
    logs = [read_json(folder / "level.json") for folder in folders]
    assert [[one["worker"] for one in log["workers"]] for log in logs] == [[0, 2], [1]]
    assert {log["ended_because"] for log in logs} == {"complete"}
    for phase in ("ramp_up", "warm_up", "steady"):
        assert logs[0]["phases_ns"][phase] == logs[1]["phases_ns"][phase]
    numbers = list(chain(*(read_level(one, 1).frame["number"].to_list() for one in folders)))
    warm = sorted(number for number in numbers if number >= 0)
    assert len(warm) == len(set(warm)) > 0
    ends = [read_shard_end(shard_folder(run, index)) for index in range(2)]
    assert [end and end.met["00-8"].go_ns for end in ends] == [log["go_ns"] for log in logs]
    assert ends[0] is not None
    assert ends[0].met["00-8"].hosts == {0: "a", 1: "b"}
    merged = merge_shards(run)
    metrics = measure(merged)
    assert (metrics.status, metrics.levels[0].ended_because) == ("complete", "complete")
    assert [one.worker for one in metrics.levels[0].workers] == [0, 1, 2]
    assert sorted(pl.read_parquet(merged.records)["number"].to_list()) == sorted(numbers)
    assert hosts_table(metrics).rows[1][0].text == "b"
    samples = read_samples(merged.root / "levels" / "00-8" / "resources.jsonl", 0, 2**63 - 1)
    assert max(len(sample["workers"]) for sample in samples) == 3
    sharded = metrics.manifest.sharded
    assert sharded is not None
    assert len(sharded.machines) == 1
    assert [shard.clock_error_ns for shard in sharded.shards] == [0, 0]
    skew_ns = sharded.start_skew_ns("00-8")
    assert skew_ns is not None
    assert skew_ns < 10_000_000_000


@pytest.mark.slow
def test_the_command_plays_two_shards_and_reports_one_run(tmp_path: Path) -> None:
    """Both shards are in the report, with what both stored."""
    (tmp_path / "my.toml").write_text(_MINE, encoding="utf-8")
    environ = {**os.environ, "TMPDIR": str(tmp_path), "PERF_PIPELINE_LOAD_LOCK": f"{tmp_path}/lock"}
    command = [BIN / "perf-pipeline", "run", "my.toml", "--shards", "2", "--accept-verdicts"]
    subprocess.run(command, cwd=tmp_path, env=environ, check=True)
    (report,) = tmp_path.glob("results/*/report.json")
    hosts = json.loads((report.parent / "manifest.json").read_text())["sharded"]["shards"]
    assert [one["index"] for one in hosts] == [0, 1]
    assert "## Hosts" in report.with_name("report.md").read_text(encoding="utf-8")
