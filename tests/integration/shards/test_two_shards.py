"""Two processes play the shards of one plan: every workflow once, from one instant on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.monitoring_settings import LISTEN, SCRAPE_DIR
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import read_settings
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.metrics.types.records import Writes
from perf_pipeline.report.shards.hosts import hosts_table
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import Outcome
from perf_pipeline.samples.run_folder import RunFolder, read_json
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_end import read_shard_end
from perf_pipeline.shards.shard_order import order_file, shard_folder, write_order
from tests.integration.monitoring.test_exporter import Values, scraped
from tests.sandbox import BIN, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

SCENARIO = Scenario(
    "two",
    seed=7,
    target="control",
    nodes="lean",
    concurrency=(8,),
    processes=3,
    workloads=(Workload("database", "simple"),),
    phases=Phases(ramp_up_s=0.1, warm_up_s=0.1, steady_s=0.3, drain_s=5.0, cooldown_s=0.0),
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
import psycopg
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.run_data import RunData
from perf_pipeline.shards.play_shard import play_shard

written_numbers = RunData.written_numbers

def losing_one(data, level):
    with psycopg.connect(data.server.url, autocommit=True) as db:
        lost = f"SELECT max(number) FROM {data.name}.results"
        db.execute(f"DELETE FROM {data.name}.results WHERE number = ({lost})")
    return written_numbers(data, level)

RunData.written_numbers = losing_one
play_shard(Path(sys.argv[1]), int(sys.argv[2]), current_settings(), notify=print)
"""


class Played(NamedTuple):
    """A run that two shards have played: its folder, and what their exporters served last."""

    run: Path
    served: Sequence[Values]


@pytest.fixture(scope="module")
def played(servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Two shards with live metrics, of which one row is lost on the server.

    The one with the greatest number is deleted between the load and the count. The port that was
    asked for is taken.
    """
    folder = tmp_path_factory.mktemp("two")
    environ = {
        **os.environ,
        "TMPDIR": str(folder),
        "PERF_PIPELINE_LOAD_LOCK": f"{folder}/lock",
        "PERF_PIPELINE_SHARDS_URL": servers["redis"].url,
        "PERF_PIPELINE_POSTGRES_URL": servers["postgres"].url,
        SCRAPE_DIR: f"{folder}/scrape",
    }
    settings = read_settings(environ, current_dir=folder)
    run = folder / "results" / "two-1"
    write_order(run, cut(SCENARIO, settings, ("a", "b"), run_id=run.name))
    command = [sys.executable, "-c", _SHARD, str(order_file(run))]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environ[LISTEN] = f"127.0.0.1:{taken.getsockname()[1]}"
        shards = [subprocess.Popen([*command, str(one)], env=environ) for one in range(2)]
        addresses = addresses_in(folder / "scrape")
        for address in addresses:
            scraped(address)  # so that they wait for the last scrapes
        assert [shard.wait() for shard in shards] == [0, 0]
    served = list(map(last_served, addresses))
    merge_shards(run)
    return Played(run, served)


def addresses_in(folder: Path) -> list[str]:
    """Wait until both exporters are registered, each at an address of its own."""
    assert until(lambda: len(list(folder.glob("*.json"))) == 2)
    found = [json.loads(path.read_text())[0] for path in sorted(folder.glob("*.json"))]
    assert [(one["labels"]["shard"], one["labels"]["host"]) for one in found] == [
        ("0", "a"),
        ("1", "b"),
    ]
    addresses = [one["targets"][0] for one in found]
    assert len(set(addresses)) == 2
    return addresses


def last_served(address: str) -> Values:
    """Scrape until the shard is complete; what is served is up to a second old."""
    while ("loadtest_run_status", "complete") not in (values := scraped(address)):
        time.sleep(0.1)
    return values


@pytest.fixture(scope="module")
def run(played: Played) -> Path:
    return played.run


@pytest.fixture(scope="module")
def metrics(run: Path) -> RunMetrics:
    return measure(RunFolder(run))


def test_writes_of_all_shards_are_reconciled_and_a_lost_one_is_found(
    run: Path, metrics: RunMetrics
) -> None:
    """Of the workflows of both shards one has no row; no row is of a workflow without a record."""
    (level,) = metrics.levels
    (write,) = level.writes
    assert write == Writes("postgres", write.expected, write.expected - 1, missing=1, extra=0)
    records = pl.read_parquet(RunFolder(run).records)
    assert write.expected == records.filter(pl.col("outcome") == int(Outcome.OK)).height
    assert records["worker"].n_unique() == SCENARIO.processes
    assert f"1 of {write.expected} ok workflows have no write on postgres" in level.reasons


def test_shards_play_every_workflow_once_from_one_instant_on(
    run: Path, metrics: RunMetrics
) -> None:
    """Three workers in two shards; both are on this machine, so the go is one number."""
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
    assert [end and end.host for end in ends] == ["a", "b"]
    assert (metrics.status, metrics.levels[0].ended_because) == ("complete", "complete")
    assert [one.worker for one in metrics.levels[0].workers] == [0, 1, 2]
    merged = pl.read_parquet(RunFolder(run).records)
    assert sorted(merged["number"].to_list()) == sorted(numbers)
    assert hosts_table(metrics).rows[1][0].text == "b"
    samples = read_samples(run / "levels" / "00-8" / "resources.jsonl", 0, 2**63 - 1)
    assert max(len(sample["workers"]) for sample in samples) == 3
    sharded = metrics.manifest.sharded
    assert sharded is not None
    assert len(sharded.machines) == 1
    assert [shard.clock_error_ns for shard in sharded.shards] == [0, 0]
    skew_ns = sharded.start_skew_ns("00-8")
    assert skew_ns is not None
    assert skew_ns < 10_000_000_000


def test_what_shards_serve_live_adds_up_to_the_report(played: Played, metrics: RunMetrics) -> None:
    """Counts exactly; once they were scraped twice, the exporters end."""
    ended: Counter[str] = Counter()
    for key, value in ((key, value) for served in played.served for key, value in served.items()):
        if key[0] == "loadtest_workflows_completed_total":
            ended[key[2]] += int(value)
    assert ended == {name: count for name, count in metrics.levels[0].outcomes.items() if count}
    assert until(lambda: are_gone(played.run.parents[1] / "scrape"), 30)


def are_gone(folder: Path) -> bool:
    """Scrape as Prometheus would."""
    for path in folder.glob("*.json"):
        with suppress(OSError):
            scraped(json.loads(path.read_text())[0]["targets"][0])
    return not list(folder.glob("*.json"))


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
