"""Two Celery workers on this machine are two hosts: each plays a shard of one run."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.settings import read_settings
from perf_pipeline.exit_code import Exit
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.shards.shard_end import read_shard_end
from perf_pipeline.shards.shard_order import shard_folder
from tests.integration.shards.hosts_environment import host_python
from tests.sandbox import ROOT, WAIT_S, Sandbox, last_object, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

HOSTS = ("gen-a", "gen-b")
SCENARIO = """
target = "callable"
interpreter = "{python}"
processes = 2
concurrency = {concurrency}
[[workload]]
function = "perf_pipeline.selftest.known.slots:hold"
[phases]
ramp_up_s = 0.2
warm_up_s = 0.5
steady_s = {steady_s}
drain_s = 1
"""


class Stage:
    """Two hosts, and runs on them.

    Attributes:
        sandbox: Its environment has the address of the Redis.
        workers: The worker of each host.
    """

    def __init__(self, sandbox: Sandbox, python: Path, workers: ExitStack) -> None:
        self.sandbox, self._python, self._stack = sandbox, python, workers
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def work(self, host: str) -> None:
        """Start the worker of a host, unless it runs."""
        if host in self.workers and self.workers[host].poll() is None:
            return
        log = self._stack.enter_context((self.sandbox.folder / f"{host}.log").open("ab"))
        self.workers[host] = subprocess.Popen(
            self.command("host", host),
            cwd=ROOT,
            env=self.sandbox.environ,
            stdout=log,
            stderr=log,
        )

    def command(self, *arguments: str) -> list[str]:
        """Return a command of perf-pipeline in the environment of a host."""
        return [str(self._python), "-I", "-m", "perf_pipeline.cli", *arguments]

    def run(self, *, concurrency: list[int], steady_s: float) -> subprocess.Popen[str]:
        """Start a run on both hosts."""
        path = self.sandbox.folder / "slots.toml"
        path.write_text(
            SCENARIO.format(python=self._python, concurrency=concurrency, steady_s=steady_s),
            encoding="utf-8",
        )
        return subprocess.Popen(
            self.command("run", str(path), "--hosts", *HOSTS, "--json"),
            cwd=ROOT,
            env=self.sandbox.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def runs(self) -> list[Path]:
        """Return the folders of the runs, oldest first."""
        return sorted(one.parents[1] for one in self.sandbox.results.glob("*/shards/order.json"))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    sandbox = Sandbox(tmp_path_factory.mktemp("hosts"))
    settings = read_settings(sandbox.environ, current_dir=sandbox.folder)
    with ExitStack() as stack:
        stack.callback(sandbox.close)
        redis = stack.enter_context(ServiceSession(settings, ["redis"])).servers["redis"]
        sandbox.environ["PERF_PIPELINE_SHARDS_URL"] = redis.url
        yield Stage(sandbox, host_python(), stack)


def test_two_hosts_play_one_run_and_start_within_50_ms_of_each_other(stage: Stage) -> None:
    """Five levels; start skew: between the first starts of the two shards, from the manifest."""
    for host in HOSTS:
        stage.work(host)
    ran = stage.run(concurrency=[4, 5, 6, 7, 8], steady_s=1)
    output, errors = ran.communicate(timeout=WAIT_S)
    assert ran.returncode == Exit.COMPLETE, errors
    answer = last_object(output)
    assert (answer["status"], answer["validity"]) == ("complete", "valid")
    run = stage.runs()[-1]
    ends = [read_shard_end(shard_folder(run, index)) for index in range(2)]
    assert [end and end.host for end in ends] == list(HOSTS)
    skews_ms = _skews_ms(run)
    print(f"start skew at {len(skews_ms)} levels, ms: {skews_ms}")  # noqa: T201 - a figure
    assert len(skews_ms) == 5
    assert statistics.median(skews_ms) <= 50


def test_a_host_whose_worker_is_killed_is_named_and_the_run_is_incomplete(stage: Stage) -> None:
    """The worker of gen-b is killed while the level is steady; what gen-a measured is reported."""
    for host in HOSTS:
        stage.work(host)
    before = len(stage.runs())
    ran = stage.run(concurrency=[4], steady_s=60)
    assert until(lambda: any(map(_is_steady, stage.runs()[before:])), WAIT_S), "never steady"
    os.kill(stage.workers["gen-b"].pid, signal.SIGKILL)
    stage.workers["gen-b"].wait()
    output, errors = ran.communicate(timeout=WAIT_S)
    answer = last_object(output)
    assert ran.returncode == Exit.NOT_A_MEASUREMENT, errors
    assert answer.get("validity") == "incomplete", errors
    assert answer["levels"], "what was measured is reported"
    assert "shard 1" in errors
    assert "gen-b" in errors
    record = stage.sandbox.own_record(stage.runs()[-1])
    assert "shard 1" in record["why"]
    assert "gen-b" in record["why"]
    assert until(lambda: not _shard_processes(stage), 30), "the shard outlived its worker"


def test_a_host_without_a_worker_is_named_before_any_load(stage: Stage) -> None:
    stage.work("gen-a")
    if "gen-b" in stage.workers:
        stage.workers["gen-b"].terminate()
        stage.workers["gen-b"].wait()
    ran = stage.run(concurrency=[4], steady_s=1)
    output, errors = ran.communicate(timeout=WAIT_S)
    assert ran.returncode == Exit.NOT_A_MEASUREMENT, errors
    assert "no worker serves the queue of gen-b" in errors
    assert last_object(output)["levels"] == []


def _is_steady(run: Path) -> bool:
    """Return whether the shard of gen-b is steady."""
    progress = shard_folder(run, 1) / "progress.jsonl"
    return progress.exists() and '"steady"' in progress.read_text(encoding="utf-8")


def _shard_processes(stage: Stage) -> list[str]:
    """Return the processes of the load that gen-b played."""
    mark = str(shard_folder(stage.runs()[-1], 1))
    return [words for words in stage.sandbox.processes().values() if mark in words]


def _skews_ms(run: Path) -> list[float]:
    sharded: dict[str, Any] = json.loads((run / "manifest.json").read_text())["sharded"]
    late = [shard["start_late_ns"] for shard in sharded["shards"]]
    return [abs(late[0][level] - late[1][level]) / 1e6 for level in late[0]]
