"""What is served of a run is what its files hold: equal to the report, and never more."""

from __future__ import annotations

import json
import sqlite3
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.monitoring.families import families
from perf_pipeline.monitoring.level_counts import Buckets
from perf_pipeline.monitoring.metric_registry import METRICS
from perf_pipeline.monitoring.run_reader import RunReader
from tests.simulated_level import SimulatedWorker, at_s, closed_loop, write_level
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from perf_pipeline.samples.run_folder import RunFolder

NOW_S = 1_800_000_000.0


def read(folder: RunFolder, now_ns: int = 0, proc: Path = Path("/nowhere")) -> dict[Any, Any]:
    """Return (metric, labels) to value of everything that is served of a run."""
    reader = RunReader(folder, clock_ns=lambda: now_ns, wall_s=lambda: NOW_S, proc=proc)
    reader.read()
    return {
        (name.removeprefix("loadtest_"), *labels): value for name, labels, value in reader.samples()
    }


def test_counts_and_figures_of_a_run_that_has_ended_are_those_of_its_report(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1")
    served, (level,) = read(folder), read_metrics(folder).levels
    ended = {key[-1]: n for key, n in served.items() if key[0] == "workflows_completed_total"}
    assert ended == {name: n for name, n in level.outcomes.items() if n}
    assert served["level_throughput_per_second", "00-10"] == level.throughput_per_s
    assert served["level_validity", "00-10", level.validity] == 1
    p50 = level.service_times.percentile(0.5)
    assert p50 is not None
    assert served["level_service_time_seconds", "00-10", "50"] == p50.value_s
    assert served["run_status", "complete"] == 1
    assert served["run_process_up",] == 0
    assert ("heartbeat_timestamp_seconds",) not in served


def test_a_percentile_with_too_few_samples_beyond_it_is_not_served(tmp_path: Path) -> None:
    served = read(write_run(tmp_path, "r-1", service_s=1.0))
    assert ("level_service_time_seconds", "00-10", "99.9") not in served


def test_a_run_that_goes_on_is_up_and_has_no_figures_of_a_report(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1", status=None, measured=False)
    line = {
        "label": "10",
        "phase": "steady",
        "totals": {"started": 42, "ended": 35, "failed": 0},
        "rate_per_s": 1.0,
        "elapsed_s": 3.0,
    }
    (folder.root / "progress.jsonl").write_text(json.dumps(line) + "\n" + '{"torn": ')
    level = folder.root / "levels" / "00-10" / "level.json"
    log = json.loads(level.read_text())
    log["plan"].update(loop="closed", concurrency=10, title="", workloads=["transformation/simple"])
    log["phases_ns"]["steady"][1] = None
    level.write_text(json.dumps(log))
    served = read(folder)
    assert served["run_process_up",] == 1
    assert served["level_phase", "00-10", "steady"] == 1
    assert served["workflows_in_flight", "00-10"] == 7
    heard_s = (folder.root / "progress.jsonl").stat().st_mtime
    assert served["heartbeat_timestamp_seconds",] == heard_s
    assert not any(key[0].startswith("level_throughput") for key in served)


def test_a_run_whose_process_was_killed_is_not_up(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1", status=None, measured=False)
    record = json.loads(folder.status_file.read_text())
    record["process"][1] += 1  # another process has its id by now
    folder.status_file.write_text(json.dumps(record))
    served = read(folder)
    assert served["run_process_up",] == 0
    assert served["run_status", "killed"] == 1


def test_lost_and_unreadable_records_are_counted(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1")
    before = read(folder)
    (journal,) = (folder.root / "levels" / "00-10").glob("worker-*.sqlite")
    with sqlite3.connect(journal) as db:
        db.execute("UPDATE block SET crc = crc + 1")
    folder.manifest.write_text("{")
    served = read(folder)
    assert (before["results_dropped_total", "00-10"], served["results_dropped_total", "00-10"]) == (
        0,
        1,
    )
    assert (before["exporter_unreadable_files",], served["exporter_unreadable_files",]) == (0, 1)
    assert not any(key[0] == "workflows_completed_total" for key in served)


def test_what_is_read_in_steps_is_what_is_read_at_once(tmp_path: Path) -> None:
    """A block at a time, while the journal grows."""
    rows = closed_loop(4, lambda slot: 0.1 + slot / 50, 10.0)
    folder = write_run(tmp_path / "whole", "r-1", workers=[SimulatedWorker(rows)])
    growing = write_run(tmp_path / "growing", "r-1", workers=[SimulatedWorker()], measured=False)
    path = growing.root / "levels" / "00-10"
    reader = RunReader(growing, clock_ns=lambda: 0, wall_s=lambda: NOW_S, proc=Path("/nowhere"))
    (journal,) = path.glob("worker-*.sqlite")
    source = next((folder.root / "levels" / "00-10").glob("worker-*.sqlite"))
    with sqlite3.connect(source) as db:
        (payload,) = db.execute("SELECT payload FROM block").fetchone()
    for seq, first in enumerate(range(0, len(payload), 400)):
        part = payload[first : first + 400]
        with sqlite3.connect(journal) as db:
            db.execute(
                "INSERT INTO block VALUES (?, ?, ?, ?, ?)",
                (seq + 1000, seq, len(part) // 40, zlib.crc32(part), part),
            )
        reader.read()
    stepwise = {one.metric: one.value for one in reader.samples() if isinstance(one.value, Buckets)}
    whole = {
        name: value for (name, *_), value in read(folder).items() if isinstance(value, Buckets)
    }
    for name, value in whole.items():
        found = stepwise[f"loadtest_{name}"]
        assert found.counts.tolist() == value.counts.tolist()
        assert found.sum_s == pytest.approx(value.sum_s)


def test_series_are_bounded_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1", measured=False)
    rows = [at_s(number, number / 10, number / 10 + 1, kind=number % 6) for number in range(60)]
    for index in range(1, 12):
        write_level(
            folder.root / "levels" / f"{index:02d}-10",
            [SimulatedWorker(rows)],
            slots=10,
            kinds=tuple(range(6)),
        )
    lines = [line for line in exposed(folder).splitlines() if not line.startswith("#")]
    assert len(lines) <= 3000
    left_out = next(line for line in lines if line.startswith("loadtest_exporter_series_left_out"))
    assert float(left_out.split()[1]) > 0
    assert any('level="11-10"' in line for line in lines)
    assert not any('level="00-10"' in line and "_bucket" in line for line in lines)


def exposed(folder: RunFolder) -> str:
    """Return what Prometheus would read."""
    reader = RunReader(folder)
    reader.read()

    class Collector:
        def collect(self) -> Iterator[Metric]:
            return families(reader.samples())

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return generate_latest(registry).decode()


def test_buckets_are_cumulative_and_end_with_all(tmp_path: Path) -> None:
    text = exposed(write_run(tmp_path, "r-1"))
    found = [
        float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("loadtest_service_time_seconds_bucket")
    ]
    count = next(
        float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("loadtest_service_time_seconds_count")
    )
    assert found == sorted(found)
    assert found[-1] == count > 0


def test_pressure_is_what_the_kernel_counts_and_absent_where_it_does_not(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1")
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure" / "memory").write_text(
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n"
    )
    served = read(folder, proc=tmp_path)
    found = {key[1:]: value for key, value in served.items() if key[0].startswith("host_pressure")}
    assert found == {("memory", "some"): 2.5, ("memory", "full"): 1.0}


def test_names_follow_the_conventions_of_prometheus() -> None:
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.name == metric.name.lower()
        assert metric.text.endswith("."), metric.name
    assert len({metric.name for metric in METRICS}) == len(METRICS)
