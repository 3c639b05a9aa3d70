"""Two Celery workers, each of which plays its shard in a fresh container; each is killed once."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.exit_code import Exit
from perf_pipeline.samples.journal import count_records
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import FAILED, INTERRUPTED
from perf_pipeline.shards.shard_order import shard_folder
from tests.docker.celery_hosts import HOSTS, CeleryHosts, celery_hosts
from tests.sandbox import WAIT_S, until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.docker.engine import Engine

MAX_SKEW_MS = 50.0
LEVELS = ("one", "two", "three")
END_AS_NOBODY_WAITS_S = 30.0
"""A shard that is not asked to end notices after so long that its run has ended."""
LONG_S = 90.0
"""Of a level that ends early: a shard that plays on for so long was not ended."""


@pytest.fixture(scope="module")
def hosts(
    engine: Engine,
    project_image: str,
    debian_servers: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[CeleryHosts]:
    folder = tmp_path_factory.mktemp("celery")
    with celery_hosts(engine, project_image, debian_servers, folder) as made:
        yield made


def test_each_shard_is_played_in_a_fresh_container_and_both_start_together(
    hosts: CeleryHosts,
) -> None:
    """Between the first starts of both shards, at most 50 ms at the median over the levels.

    On a busy machine a level may be limited by the generators, which is a verdict and no defect.
    """
    for host in HOSTS:
        hosts.work(host)
    ran = hosts.run(*LEVELS, steady_s=1)
    assert until(lambda: len(hosts.containers()) == 2 or ran.poll() is not None, WAIT_S)
    containers = hosts.containers()
    answer, errors = hosts.answer(ran)
    assert ran.returncode == Exit.COMPLETE, errors
    assert answer["status"] == "complete", errors
    verdicts = [level["validity"] for level in answer["levels"]]
    assert set(verdicts) <= {"valid", "generator_limited"}, errors
    assert set(containers) == set(HOSTS)
    assert hosts.containers() == {}, "they are removed"
    sharded = read_manifest(RunFolder(hosts.folder())).sharded
    assert sharded is not None
    assert [shard.host for shard in sharded.shards] == list(HOSTS)
    assert all(shard.records > 0 for shard in sharded.shards)
    levels = [level.name for level in RunFolder(hosts.folder()).level_folders()]
    skews = [sharded.start_skew_ns(level) for level in levels]
    in_ms = [skew / 1e6 for skew in skews if skew is not None]
    print(f"start skew, ms: {in_ms}; levels are {verdicts}")  # noqa: T201 - figures
    assert len(in_ms) == len(LEVELS)
    assert median(in_ms) <= MAX_SKEW_MS
    report = (hosts.folder() / "report.md").read_text(encoding="utf-8")
    assert all(host in report.split("## Hosts")[1] for host in HOSTS)
    _no_password(hosts, json.dumps(containers))


def test_a_shard_whose_container_is_killed_is_named_and_the_other_ends_at_once(
    hosts: CeleryHosts,
) -> None:
    """What both had committed is part of the run, which is incomplete."""
    ran = _steady_run(hosts)
    killed = datetime.now(UTC)
    hosts.docker("kill", hosts.containers()["gen-b"]["Id"])
    errors = _ended_early(hosts, ran)
    other = RunFolder(shard_folder(hosts.folder(), 0)).read_status()
    assert other["status"] == INTERRUPTED
    took = datetime.fromisoformat(other["ended_at"]) - killed
    assert took.total_seconds() < END_AS_NOBODY_WAITS_S
    assert "its container ended with 137" in errors


def test_a_container_does_not_outlive_the_worker_of_its_host(hosts: CeleryHosts) -> None:
    """SIGKILL gives the worker no chance to say anything to Docker."""
    ran = _steady_run(hosts)
    os.kill(hosts.workers["gen-b"].pid, signal.SIGKILL)
    hosts.workers["gen-b"].wait()
    assert until(lambda: "gen-b" not in hosts.containers(), LONG_S / 2), "it measures on"
    _ended_early(hosts, ran)


def _steady_run(hosts: CeleryHosts) -> subprocess.Popen[str]:
    """Return a run whose shards are both steady."""
    for host in HOSTS:
        hosts.work(host)
    before = len(hosts.runs())
    ran = hosts.run("one", steady_s=LONG_S)
    hosts.wait_until_steady(ran, before)
    assert set(hosts.containers()) == set(HOSTS)
    return ran


def _ended_early(hosts: CeleryHosts, ran: subprocess.Popen[str]) -> str:
    """Check that a run ended without gen-b, and has what both committed; return what it said."""
    answer, errors = hosts.answer(ran)
    assert ran.returncode == Exit.NOT_A_MEASUREMENT, errors
    assert answer["validity"] == "incomplete", errors
    assert "shard 1 on host gen-b is lost" in errors
    assert RunFolder(hosts.folder()).read_status()["status"] == FAILED
    assert "shard 1 (host gen-b)" in _why(hosts)
    assert "the end of level 00-one" in _why(hosts)
    own = [shard_folder(hosts.folder(), one) / "levels" / "00-one" for one in (0, 1)]
    committed = [count_records(level / f"worker-{one}.sqlite") for one, level in enumerate(own)]
    assert min(committed) > 0
    merged = hosts.folder() / "levels" / "00-one"
    assert [count_records(merged / f"worker-{one}.sqlite") for one in (0, 1)] == committed
    assert until(lambda: hosts.containers() == {}, WAIT_S), "a container is left"
    return errors


def _why(hosts: CeleryHosts) -> str:
    """Return why the newest run is incomplete."""
    return str(RunFolder(hosts.folder()).read_status()["why"])


def _no_password(hosts: CeleryHosts, shown: str) -> None:
    """Check that the password of the Redis is neither shown by Docker nor stored."""
    assert hosts.password not in shown
    stored = [path for path in hosts.sandbox.folder.rglob("*") if path.is_file()]
    holders = [path for path in stored if hosts.password.encode() in path.read_bytes()]
    assert holders == []
