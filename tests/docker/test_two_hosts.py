"""A run in shards on two hosts, which are containers, one of which is killed."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.exit_code import Exit
from perf_pipeline.samples.journal import count_records
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import COMPLETE, FAILED
from perf_pipeline.shards.finish_shards import finish_shards
from perf_pipeline.shards.shard_order import shard_folder
from tests.docker.shard_hosts import HOSTS, shard_hosts
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.docker.engine import Engine
    from tests.docker.shard_hosts import ShardHosts

WAIT_S = 120.0
MAX_SKEW_MS = 50.0
SOME = 1000
LEVELS = (4, 8, 12)


def scenario(name: str, *concurrency: int, steady_s: float) -> Scenario:
    """Return a scenario of two workers, so that each host has one."""
    return Scenario(
        name,
        seed=7,
        target="control",
        nodes="lean",
        concurrency=concurrency,
        processes=2,
        workloads=(Workload("transformation", "simple"),),
        phases=Phases(ramp_up_s=0.2, warm_up_s=0.2, steady_s=steady_s, drain_s=2.0),
    )


@pytest.fixture
def hosts(
    request: pytest.FixtureRequest,
    engine: Engine,
    project_image: str,
    debian_servers: str,
    tmp_path: Path,
) -> Iterator[ShardHosts]:
    """Two hosts, and the test's scenario cut for them."""
    images = (project_image, debian_servers)
    with shard_hosts(engine, images, tmp_path, request.param) as made:
        yield made


@pytest.mark.parametrize("hosts", [scenario("whole", *LEVELS, steady_s=0.6)], indirect=True)
def test_two_hosts_play_one_run_and_start_together(hosts: ShardHosts) -> None:
    """Between the first starts of both hosts, at most 50 ms at the median over the levels."""
    for index in range(len(HOSTS)):
        hosts.start(index)
    codes = [hosts.exit_code(index) for index in range(len(HOSTS))]
    assert codes == [0, 0], [hosts.log(index) for index in range(len(HOSTS))]

    finished = finish_shards(hosts.run, hosts.settings, print)

    assert RunFolder(hosts.run).read_status()["status"] == COMPLETE
    sharded = read_manifest(RunFolder(hosts.run)).sharded
    assert sharded is not None
    assert [shard.host for shard in sharded.shards] == list(HOSTS)
    assert all(shard.records > 0 for shard in sharded.shards)
    skews = [sharded.start_skew_ns(level.name) for level in RunFolder(hosts.run).level_folders()]
    in_ms = [skew / 1e6 for skew in skews if skew is not None]
    assert len(in_ms) == len(LEVELS)
    assert median(in_ms) <= MAX_SKEW_MS
    report = (hosts.run / "report.html").read_text(encoding="utf-8")
    assert all(host in report for host in HOSTS)
    assert [one.validity != "incomplete" for one in finished.metrics.levels] == [True] * len(LEVELS)


@pytest.mark.parametrize("hosts", [scenario("early", 4, steady_s=0.6)], indirect=True)
def test_a_host_that_is_killed_before_it_arrives_ends_the_run_before_load_with_its_name(
    hosts: ShardHosts,
) -> None:
    begun = RunFolder(shard_folder(hosts.run, 1)).status_file
    hosts.start(1)
    assert until(begun.exists, WAIT_S), hosts.log(1)
    hosts.kill(1)
    assert hosts.arrived("00-4") == set(), "it was killed too late"
    hosts.start(0)

    assert hosts.exit_code(0) == Exit.NOT_A_MEASUREMENT, hosts.log(0)
    # It is missed after 10 s of waiting, or 30 s after its last word if that is sooner.
    whys = ("1 of 2 shards did not arrive", "was here and is not any more")
    assert any(why in hosts.log(0) for why in whys), hosts.log(0)
    assert "gen-b" in hosts.log(0)
    own = read_level(shard_folder(hosts.run, 0) / "levels" / "00-4", 1).frame
    assert [number for number in own["number"] if number >= 0] == [], "only the cold start"

    finished = finish_shards(hosts.run, hosts.settings, print)

    record = RunFolder(hosts.run).read_status()
    assert (record["status"], finished.metrics.validity) == (FAILED, "incomplete")
    assert "shard 1 (host gen-b)" in record["why"]


@pytest.mark.parametrize("hosts", [scenario("late", 4, steady_s=6.0)], indirect=True)
def test_what_a_host_committed_before_it_was_killed_is_part_of_the_run(hosts: ShardHosts) -> None:
    """The other one plays on; the merged run is incomplete, and says whose workers are missing."""
    own, other = (shard_folder(hosts.run, index) / "levels" / "00-4" for index in range(2))
    killed = other / "worker-1.sqlite"
    for index in range(len(HOSTS)):
        hosts.start(index)
    assert until(lambda: killed.exists() and count_records(killed) > SOME, WAIT_S), hosts.log(1)
    hosts.kill(1)
    assert hosts.exit_code(0) == 0, hosts.log(0)
    committed = {1: count_records(killed), 0: count_records(own / "worker-0.sqlite")}

    finished = finish_shards(hosts.run, hosts.settings, print)

    record = RunFolder(hosts.run).read_status()
    assert (record["status"], finished.metrics.validity) == (FAILED, "incomplete")
    assert "shard 1 (host gen-b)" in record["why"]
    assert "the end of level 00-4" in record["why"]
    merged = hosts.run / "levels" / "00-4"
    assert {w: count_records(merged / f"worker-{w}.sqlite") for w in (0, 1)} == committed
    frame = read_level(merged, 1).frame
    assert len(frame) >= sum(committed.values()) > committed[0] > 0
