"""Processes that meet at a real Redis."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from perf_pipeline.errors import ServiceUnavailableError, ShardMissingError
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.shards.barrier import ShardBarrier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

_SHARD = """
import json, sys, time
from perf_pipeline.shards.barrier import ShardBarrier
from perf_pipeline.shards.clock import clock_id

url, run_id, index, within_s, hosts, clock = sys.argv[1:]
barrier = ShardBarrier(url, run_id, int(index), hosts.split(), arrive_within_s=float(within_s),
    clock=clock or clock_id())
go_ns = barrier.meet("00-100")
time.sleep(max(0, (go_ns - time.monotonic_ns()) / 1e9))
met = barrier.met["00-100"]
print(json.dumps({"go_ns": go_ns, "started_ns": time.monotonic_ns(), "error_ns": met.error_ns}))
"""


@pytest.fixture
def started() -> Iterator[ExitStack]:
    """Ends the processes of a test."""
    with ExitStack() as stack:
        yield stack


def _start(started: ExitStack, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _SHARD, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    started.callback(process.wait)
    started.callback(process.kill)
    return process


def _said(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=100)
    said: dict[str, Any] = json.loads(output)
    return said


def test_processes_start_at_one_instant_and_hosts_within_their_stated_errors(
    servers: dict[str, Server], started: ExitStack
) -> None:
    """Two shards of one host, and one that is told to have another clock: here it is the same."""
    url, run_id = servers["redis"].url, "20261130_110000-0001"
    hosts, clocks = "gen-a gen-a gen-b", ["", "", "clock b"]
    shards = [
        _start(started, url, run_id, index, 100, hosts, clock) for index, clock in enumerate(clocks)
    ]
    ends = [_said(shard) for shard in shards]
    assert ends[0]["go_ns"] == ends[1]["go_ns"]
    for end in ends:
        assert end["started_ns"] >= end["go_ns"]
        off_ns = abs(end["go_ns"] - ends[0]["go_ns"])
        assert off_ns <= end["error_ns"] + ends[0]["error_ns"] + 1_000_000  # drift of a real clock
    with Redis.from_url(url) as redis:
        keys = list(redis.scan_iter(f"perf_pipeline:shards:{run_id}:*"))
        assert len(keys) == 4
        assert all(0 < redis.ttl(key) <= 3700 for key in keys)


def _shard(url: str, run_id: str, index: int, count: int, within_s: float) -> ShardBarrier:
    hosts = [f"gen-{each}" for each in range(count)]
    clock = hosts[index]
    return ShardBarrier(url, run_id, index, hosts, arrive_within_s=within_s, clock=clock)


def test_a_missing_shard_ends_all_that_came_and_whoever_comes_later(
    servers: dict[str, Server],
) -> None:
    url, run_id = servers["redis"].url, "20261130_110000-0002"
    with ThreadPoolExecutor() as threads:
        meetings = [
            threads.submit(_shard(url, run_id, index, 3, 0.3).meet, "00-100") for index in (0, 2)
        ]
    with pytest.raises(ShardMissingError, match="gen-1 came after they had given up") as late:
        _shard(url, run_id, 1, 3, 100).meet("00-100")
    for end in (late.value, *(meeting.exception() for meeting in meetings)):
        assert isinstance(end, ShardMissingError)
        assert "1 of 3 shards did not arrive at level 00-100 within" in str(end)
        assert ": 1 (gen-1). There: 0 (gen-0), 2 (gen-2)." in str(end)


def test_a_redis_that_is_killed_during_the_wait_ends_it_with_a_sentence(settings: Settings) -> None:
    with ServiceSession(settings, ["redis"]) as session, ThreadPoolExecutor() as threads:
        url = session.servers["redis"].url
        meeting = threads.submit(_shard(url, "20261130_110000-0003", 0, 2, 100).meet, "00-100")
        with Redis.from_url(url) as redis:
            while not redis.keys("perf_pipeline:shards:*:arrived"):
                assert not meeting.done()
            redis.shutdown(nosave=True, now=True, force=True)
        with pytest.raises(ServiceUnavailableError, match="gen-0 could not meet the others"):
            meeting.result(timeout=50)
