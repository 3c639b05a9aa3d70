"""A shard that is killed does not let the others wait until the time to arrive is over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import read_settings
from perf_pipeline.exit_code import Exit
from perf_pipeline.shards.attendance import ended_key, present_key
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_order import order_file, shard_folder, write_order
from tests.sandbox import BIN, WAIT_S, last_object, until

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.servers.server import Server
    from perf_pipeline.shards.shard_order import ShardOrder

pytestmark = pytest.mark.integration

SCENARIO = Scenario(
    "lost",
    seed=7,
    target="control",
    nodes="lean",
    concurrency=(4,),
    repeats=2,
    processes=2,
    workloads=(Workload("database", "simple"),),
    phases=Phases(ramp_up_s=0.0, warm_up_s=0.1, steady_s=3.0, drain_s=2.0, cooldown_s=0.0),
)
ARRIVE_S = 300.0

_SHARD = """
import sys, time
from pathlib import Path
from perf_pipeline.shards.attendance import Attendance
from perf_pipeline.shards.barrier import ShardBarrier
from perf_pipeline.shards.shard_order import read_order

path, url, index = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
order = read_order(path)
barrier = ShardBarrier(url, order.run_id, index, order.hosts,
    arrive_within_s=order.arrive_within_s, gone_after_s=order.gone_after_s)
with Attendance(url, order, index, notify=print):
    barrier.meet("00-4")
    if index == 1:
        time.sleep(100)
    barrier.meet("01-4")
"""


def _environ(servers: dict[str, Server], folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "TMPDIR": str(folder),
        "PERF_PIPELINE_LOAD_LOCK": f"{folder}/lock",
        "PERF_PIPELINE_SHARDS_URL": servers["redis"].url,
        "PERF_PIPELINE_POSTGRES_URL": servers["postgres"].url,
    }


def _cut(run: Path, environ: dict[str, str], gone_after_s: float) -> ShardOrder:
    settings = read_settings(environ, current_dir=run.parent)
    hosts = ("gen-a", "gen-b")
    order = cut(
        SCENARIO,
        settings,
        hosts,
        run_id=run.name,
        arrive_within_s=ARRIVE_S,
        gone_after_s=gone_after_s,
    )
    write_order(run, order)
    return order


def test_who_waits_for_a_process_that_was_killed_learns_it(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    """Two processes that are present at a real Redis; one is killed between two levels."""
    run, url = tmp_path / "results" / "lost-1", servers["redis"].url
    _cut(run, _environ(servers, tmp_path), gone_after_s=2.0)
    command = [sys.executable, "-c", _SHARD, str(order_file(run)), url]
    here, lost = (
        subprocess.Popen([*command, str(index)], stderr=subprocess.PIPE, text=True)
        for index in range(2)
    )
    with Redis.from_url(url, decode_responses=True) as redis:
        waits = f"perf_pipeline:shards:{run.name}:01-4:arrived"
        assert until(lambda: bool(redis.exists(waits)) or here.poll() is not None, WAIT_S)
        lost.kill()
        killed_s = time.monotonic()
        _, errors = here.communicate(timeout=WAIT_S)
        assert time.monotonic() - killed_s < ARRIVE_S / 5
        lost.communicate()
        assert "at level 01-4: shard 1 (gen-b) was here and is not any more: it was" in errors
        assert "There: 0 (gen-a)." in errors
        ended = redis.hgetall(ended_key(run.name))
        assert list(ended) == ["0"], "who ends with an error says so; who is killed cannot"
        assert ended["0"].startswith("ShardMissingError: The shards do not wait any longer")
        assert 0 < redis.ttl(present_key(run.name)) <= 86_400


@pytest.mark.slow
def test_the_command_ends_soon_after_another_shard_was_killed(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    """The supervisor of shard 1 is killed in the first of two levels; that one is reported.

    What it had written is not compared with records: its last ones were never committed.
    """
    environ = _environ(servers, tmp_path)
    run = tmp_path / "results" / "lost-2"
    _cut(run, environ, gone_after_s=6.0)
    command = [BIN / "perf-pipeline", "shard", str(order_file(run)), "--json", "--index"]
    here, lost = (
        subprocess.Popen([*command, str(index)], env=environ, stdout=subprocess.PIPE, text=True)
        for index in range(2)
    )
    progress = shard_folder(run, 1) / "progress.jsonl"
    assert until(lambda: progress.exists() and '"steady"' in progress.read_text(), WAIT_S)
    lost.kill()
    killed_s = time.monotonic()
    output, _ = here.communicate(timeout=WAIT_S)
    assert time.monotonic() - killed_s < ARRIVE_S / 5
    lost.communicate()
    assert here.returncode == Exit.NOT_A_MEASUREMENT
    (problem,) = last_object(output)["problems"]
    assert "at level 01-4-begins: shard 1 (gen-b) was here and is not any more" in problem
    metrics = measure(merge_shards(run))
    assert (metrics.status, metrics.validity) == ("failed", "incomplete")
    (write,) = metrics.levels[0].writes
    assert write.expected > 0
    assert (write.found, write.missing) == (None, None)
    assert str(write.problem).startswith("not reconciled: The shards do not wait any longer at ")
    assert "shard 1 (host gen-b) was killed" in metrics.reasons[0]
