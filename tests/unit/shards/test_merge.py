"""Shards merged are the run that one host would have played; what is missing is said."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tarfile
from array import array
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.archive.export import export_archive, left_out
from perf_pipeline.config.scenario.scenario import Phases, Workload
from perf_pipeline.errors import RunFolderError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.loadgen.plan.level_plan import little_endian
from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.metrics.records.counted_writes import CountedWrites, write_counted
from perf_pipeline.metrics.records.level_histograms import FILE as HISTOGRAMS
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.pruning import prune
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.planned_levels import (
    PlannedLevel,
    read_planned_levels,
    write_planned_levels,
)
from perf_pipeline.samples.record import NOT_STARTED, Outcome
from perf_pipeline.samples.run_folder import CONTROL, INTENDED, RunFolder, read_json, write_json
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import COMPLETE, FAILED, INTERRUPTED, KILLED
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_end import read_shard_end, write_shard_end
from perf_pipeline.shards.shard_order import order_file, read_order, shard_folder
from tests.dealt_shards import Host, deal, deal_level
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, closed_loop
from tests.simulated_run import SLOTS, write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics

WORKERS = 4
LEVEL = "00-10"
HOSTS = [Host("gen-a"), Host("gen-b", "another boot", 10**12)]


EMPTY_SAMPLE: dict[str, Any] = {
    "children": [],
    "harness": [],
    "servers": [],
    "host": None,
    "connections": {},
    "counters": {},
    "traffic": {},
    "problems": {},
}


def workers(until_s: float = 10.0) -> list[SimulatedWorker]:
    """Four workers of 10 slots; workflows of each take another time, commits come every 2 s."""
    found = []
    for worker in range(WORKERS):
        rows = closed_loop(SLOTS, lambda slot, w=worker: 0.1 + w / 100 + slot / 1000, until_s)
        numbered = [row._replace(number=row.number * WORKERS + worker) for row in rows]
        blocks = [
            (
                GO_NS + (two + 1) * 2 * SECOND,
                [row for row in numbered if two <= (row.end_ns - GO_NS) // (2 * SECOND) < two + 1],
            )
            for two in range(7)
        ]
        found.append(SimulatedWorker(blocks=blocks))
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = write_run(
        tmp_path_factory.mktemp("whole"), "r-1", workers=workers(), processes=WORKERS
    )
    for worker in range(WORKERS):
        ramp = folder.root / "levels" / LEVEL / f"worker-{worker}.ramp"
        ramp.write_bytes(bytes(8 * SLOTS))
    return folder


def levels_of(metrics: RunMetrics) -> list[dict[str, Any]]:
    """Return the figures of the levels, without those of the machines, of which nothing is here."""
    levels = [asdict(level) for level in metrics.levels]
    for level in levels:
        del level["resources"], level["noise"], level["bottleneck"], level["machines"]
    return levels


def is_equal(merged: RunFolder, run: RunFolder) -> bool:
    """Return whether figures, histograms and records are equal."""
    histograms = [(one.root / "levels" / LEVEL / HISTOGRAMS).read_bytes() for one in (merged, run)]
    records = [read_in_order(one.records) for one in (merged, run)]
    return histograms[0] == histograms[1] and records[0].equals(records[1])


def read_in_order(records: Path) -> pl.DataFrame:
    """Read records worker by worker, as one host writes them."""
    return pl.read_parquet(records).sort("level", "worker", maintain_order=True)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_figures_of_merged_shards_are_those_of_one_run(
    run: RunFolder, tmp_path: Path, count: int
) -> None:
    merged = merge_shards(deal(run, tmp_path, [Host(f"gen-{at}") for at in range(count)]))
    metrics = measure(merged)
    assert levels_of(metrics) == levels_of(measure(run))
    assert is_equal(merged, run)
    assert metrics.status == COMPLETE


def test_a_clock_that_is_1000_s_ahead_changes_nothing(run: RunFolder, tmp_path: Path) -> None:
    """Without the offsets the workflows of one host lie 1000 s after the steady phase."""
    merged = merge_shards(deal(run, tmp_path, HOSTS))
    assert levels_of(measure(merged)) == levels_of(measure(run))
    assert is_equal(merged, run)


def test_merging_again_gives_the_same(run: RunFolder, tmp_path: Path) -> None:
    root = deal(run, tmp_path, HOSTS)
    merge_shards(root)
    assert is_equal_after_measuring(merge_shards(root), run)


def is_equal_after_measuring(merged: RunFolder, run: RunFolder) -> bool:
    measure(merged)
    return is_equal(merged, run)


def kill(root: Path, index: int, *, after_commits: int) -> None:
    """Make a shard one whose host died: its last commits, its end and its log's end are lost."""
    folder = shard_folder(root, index)
    (folder / "shard.json").unlink()
    record = read_json(folder / "run.json")
    del record["ended_at"]
    write_json(folder / "run.json", record | {"status": FAILED, "why": "the host is gone"})
    level = folder / "levels" / LEVEL
    log = read_json(level / "level.json")
    log |= {"ended_at": "", "ended_because": "interrupted", "workers": []}
    log["phases_ns"]["steady"][1] = None
    write_json(level / "level.json", log)
    for path in level.glob("worker-*.sqlite"):
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM block WHERE seq >= ?", (after_commits,))
        db.close()


def test_a_shard_that_died_is_named_and_what_it_committed_is_there(
    run: RunFolder, tmp_path: Path
) -> None:
    """Two commits of 2 s are left of the workers 1 and 3: the steady phase ends with them."""
    root = deal(run, tmp_path, HOSTS)
    kill(root, 1, after_commits=3)
    merged = merge_shards(root)
    metrics = measure(merged)
    assert (metrics.status, metrics.validity) == (FAILED, "incomplete")
    assert "shard 1 (host gen-b) failed" in metrics.reasons[0]
    assert "the end of level 00-10" in metrics.reasons[0]
    level = metrics.levels[0]
    assert level.phases["steady"] == pytest.approx((2.0, 6.0))
    ends = {end.worker: end.reason for end in level.workers}
    assert ends[0] == ends[2] == "done"
    assert ends[1].startswith("shard 1 (host gen-b) failed")
    committed = pl.read_parquet(run.records).filter(
        (pl.col("worker") % 2 == 0) | (pl.col("end_ns") < GO_NS + 6 * SECOND)
    )
    records = pl.read_parquet(merged.records).filter(pl.col("outcome") == int(Outcome.OK))
    assert records.height == committed.filter(pl.col("outcome") == int(Outcome.OK)).height
    assert level.error_classes == {}, "a host that dies is no error of the target"


def test_a_shard_that_left_nothing_makes_the_run_incomplete(run: RunFolder, tmp_path: Path) -> None:
    root = deal(run, tmp_path, HOSTS)
    shutil.rmtree(shard_folder(root, 1))
    metrics = measure(merge_shards(root))
    assert (metrics.status, metrics.validity) == (FAILED, "incomplete")
    assert "shard 1 (host gen-b) did not begin" in metrics.reasons[0]
    assert "all of level 00-10" in metrics.reasons[0]
    assert [end.worker for end in metrics.levels[0].workers] == [0, 1, 2, 3]
    assert metrics.levels[0].ended_because == "worker lost"


def test_without_the_first_shard_the_clock_is_that_of_the_second(
    run: RunFolder, tmp_path: Path
) -> None:
    root = deal(run, tmp_path, HOSTS)
    shutil.rmtree(shard_folder(root, 0))
    merged = merge_shards(root)
    assert read_json(merged.root / "levels" / LEVEL / "level.json")["go_ns"] == GO_NS + 10**12
    assert measure(merged).levels[0].throughput_per_s is not None


def test_arrivals_of_a_missing_shard_were_never_started(run: RunFolder, tmp_path: Path) -> None:
    """Of 4000 arrivals of an open level 2000 are those of the workers 1 and 3."""
    results = tmp_path / "open"
    whole = RunFolder(results / "r-1")
    shutil.copytree(run.root, whole.root)
    level = whole.root / "levels" / LEVEL
    log = read_json(level / "level.json")
    log["plan"] |= {
        "loop": "open",
        "arrivals": {
            "offered": "40/s",
            "schedule": "constant",
            "slots": 40,
            "start_timeout_s": 5.0,
        },
    }
    write_json(level / "level.json", log)
    (level / INTENDED).write_bytes(little_endian(array("q", bytes(8 * 4000))))
    root = deal(whole, tmp_path / "dealt", HOSTS)
    shutil.rmtree(shard_folder(root, 1))
    frame = read_frame(merge_shards(root))
    of_missing = frame.filter(pl.col("worker") % 2 == 1)
    assert sorted(of_missing["number"].to_list()) == [n for n in range(4000) if n % 2]
    assert of_missing["flags"].unique().to_list() == [NOT_STARTED]
    assert int(Outcome.OK) not in of_missing["outcome"].to_list()


def read_frame(merged: RunFolder) -> pl.DataFrame:
    measure(merged)
    return pl.read_parquet(merged.records)


def test_the_shard_that_was_missed_is_named_before_those_that_missed_it(
    run: RunFolder, tmp_path: Path
) -> None:
    root = deal(run, tmp_path, HOSTS)
    for index, why in enumerate(("ShardMissingError: shard 1 is gone", "ValueError: no token")):
        folder = RunFolder(shard_folder(root, index))
        write_json(folder.status_file, read_json(folder.status_file) | {"status": FAILED})
        end = read_shard_end(folder.root)
        assert end is not None
        write_shard_end(folder.root, replace(end, why=why))
    (reason, *_) = measure(merge_shards(root)).reasons
    assert reason.startswith("the run is failed: shard 1 (host gen-b) failed: ValueError: no token")
    assert "shard 0 (host gen-a) failed: ShardMissingError: shard 1 is gone" in reason


def test_shards_of_two_plans_are_refused_by_name(run: RunFolder, tmp_path: Path) -> None:
    root = deal(run, tmp_path, HOSTS)
    path = shard_folder(root, 1) / "levels" / LEVEL / "level.json"
    log = read_json(path)
    log["plan"]["sha256"] = "another"
    write_json(path, log)
    with pytest.raises(RunFolderError, match=r"shard 1 \(host gen-b\) played the plan another"):
        merge_shards(root)
    assert not (root / "run.json").exists()


def test_the_files_of_another_shards_worker_are_refused(run: RunFolder, tmp_path: Path) -> None:
    root = deal(run, tmp_path, HOSTS)
    level = shard_folder(root, 1) / "levels" / LEVEL
    shutil.copy(level / "worker-1.sqlite", level / "worker-2.sqlite")
    with pytest.raises(RunFolderError, match="supervises the workers 1, 3"):
        merge_shards(root)


def test_a_shard_that_still_runs_is_waited_for(run: RunFolder, tmp_path: Path) -> None:
    root = deal(run, tmp_path, HOSTS)
    path = shard_folder(root, 0) / "run.json"
    record = json.loads(path.read_text()) | {"status": "running", "process": list(own_stamp())}
    path.write_text(json.dumps(record))
    with pytest.raises(RunFolderError, match=r"shard 0 \(host gen-a\) still runs"):
        merge_shards(root)


def test_start_skew_is_the_difference_of_what_the_plan_does_not_explain(
    run: RunFolder, tmp_path: Path
) -> None:
    """The workflows of shard 1 begin 7 ms later than those of shard 0, in one clock."""
    root = deal(run, tmp_path, HOSTS)
    end = shard_folder(root, 1) / "shard.json"
    written = read_json(end)
    written["met"][LEVEL]["offset_ns"] += 7_000_000
    write_json(end, written)
    sharded = measure(merge_shards(root)).manifest.sharded
    assert sharded is not None
    assert sharded.start_skew_ns(LEVEL) == 7_000_000
    assert [shard.clock_error_ns for shard in sharded.shards] == [0, 200_000]


def two_levels(run: RunFolder, results: Path) -> RunFolder:
    """Return the run with its level played twice."""
    twice = RunFolder(results / "r-1")
    shutil.copytree(run.root, twice.root)
    shutil.copytree(twice.root / "levels" / LEVEL, twice.root / "levels" / "01-10")
    return twice


def test_what_is_said_of_a_shard_holds_for_all_levels(run: RunFolder, tmp_path: Path) -> None:
    """The records of both levels, the greater error of the clock, and none that is known of one."""
    root = deal(two_levels(run, tmp_path / "twice"), tmp_path, HOSTS)
    dealt = [sum(len(rows) for one in workers()[at::2] for _, rows in one.blocks) for at in (0, 1)]
    end = shard_folder(root, 1) / "shard.json"
    written = read_json(end)
    written["met"]["01-10"]["error_ns"] += 50_000
    write_json(end, written)
    sharded = read_manifest(merge_shards(root)).sharded
    assert sharded is not None
    assert [shard.records for shard in sharded.shards] == [2 * count for count in dealt]
    assert [shard.clock_error_ns for shard in sharded.shards] == [0, 250_000]
    assert [shard.start_late_ns for shard in sharded.shards] == [{LEVEL: 0, "01-10": 0}] * 2
    del written["met"]["01-10"]
    write_json(end, written)
    sharded = read_manifest(merge_shards(root)).sharded
    assert sharded is not None
    assert [shard.clock_error_ns for shard in sharded.shards] == [0, None]


def test_a_host_that_was_late_was_late_to_the_go_of_the_first(
    run: RunFolder, tmp_path: Path
) -> None:
    """Both began at their own go, which the second shard heard of 40 ms too late."""
    root = deal(run, tmp_path, HOSTS)
    level = shard_folder(root, 1) / "levels" / LEVEL / "level.json"
    log = read_json(level)
    write_json(level, log | {"go_ns": log["go_ns"] + 40_000_000})
    end = shard_folder(root, 1) / "shard.json"
    written = read_json(end)
    written["met"][LEVEL]["offset_ns"] += 40_000_000
    write_json(end, written)
    sharded = read_manifest(merge_shards(root)).sharded
    assert sharded is not None
    assert sharded.start_skew_ns(LEVEL) == 40_000_000


@pytest.mark.parametrize(
    ("statuses", "merged"),
    [
        ((COMPLETE, COMPLETE), COMPLETE),
        ((COMPLETE, INTERRUPTED), INTERRUPTED),
        ((INTERRUPTED, FAILED), FAILED),
        ((KILLED, COMPLETE), FAILED),
    ],
)
def test_a_run_ended_as_its_shards_did(
    run: RunFolder, tmp_path: Path, statuses: tuple[str, str], merged: str
) -> None:
    """It lasts from its first begin to its last end; what ended one early ended the run."""
    root = deal(run, tmp_path, HOSTS)
    times = (
        ("2026-01-14T09:30:20+00:00", "2026-01-14T09:31:40+00:00"),
        ("2026-01-14T09:30:10+00:00", "2026-01-14T09:31:30+00:00"),
    )
    stopped = {"level": "10", "because": "host_floor", "detail": "planted", "not_run": ["20"]}
    for index, (started, ended) in enumerate(times):
        file = shard_folder(root, index) / "run.json"
        record = read_json(file) | {"started_at": started, "ended_at": ended}
        write_json(
            file, record | {"status": statuses[index]} | ({"stopped": stopped} if index else {})
        )
    manifest = shard_folder(root, 1) / "manifest.json"
    write_json(manifest, read_json(manifest) | {"stopped": stopped})
    folder = merge_shards(root)
    record = folder.read_status()
    assert record["status"] == merged
    assert (record["started_at"], record["ended_at"]) == (times[1][0], times[0][1])
    assert record["stopped"] == stopped
    found = read_manifest(folder).stopped
    assert (found and found.detail) == "planted"


def test_the_plan_of_the_shards_is_that_of_the_run(run: RunFolder, tmp_path: Path) -> None:
    root = deal(run, tmp_path, HOSTS)
    planned = (PlannedLevel("10", "", 10, "closed", Phases()),)
    for index in range(len(HOSTS)):
        write_planned_levels(RunFolder(shard_folder(root, index)), planned)
    assert read_planned_levels(merge_shards(root)) == planned


def test_shards_of_one_boot_are_one_machine_whatever_their_hosts_are_called(
    run: RunFolder, tmp_path: Path
) -> None:
    """Three shards on two machines: the samples of each are beside those of all."""
    hosts = [Host("gen-a"), Host("gen-b", "another boot", 10**12), Host("gen-c")]
    for count in (1, 3):
        root = deal(run, tmp_path / str(count), hosts[:count])
        for index in range(count):
            line = {"at_ns": GO_NS + hosts[index].ahead_ns, "workers": [{"pid": 10 + index}]}
            sample = {**EMPTY_SAMPLE, **line}
            level = shard_folder(root, index) / "levels" / LEVEL
            (level / "resources.jsonl").write_text(json.dumps(sample) + "\n")
        folder = merge_shards(root).root / "levels" / LEVEL
        all_of_them = read_samples(folder / "resources.jsonl", 0, 2**63 - 1)
        assert [len(sample["workers"]) for sample in all_of_them] == [count]
        own = [
            [len(sample["workers"]) for sample in read_samples(path / "resources.jsonl", 0, 2**63)]
            for path in sorted(folder.glob("hosts/*"))
        ]
        assert own == ([[2], [1]] if count == 3 else [])


def test_a_level_has_the_calibration_of_the_shard_that_waited_most_for_a_core(
    run: RunFolder, tmp_path: Path
) -> None:
    """The first waited for 0.3 of its round before the level, the second for 0.5 after it."""
    root = deal(run, tmp_path, HOSTS)
    rounds = [
        {"before": {"waited_ratio": 0.3}, "after": None},
        {"before": {"waited_ratio": 0.1}, "after": {"waited_ratio": 0.5}},
    ]
    for index, calibrations in enumerate(rounds):
        write_json(shard_folder(root, index) / "levels" / LEVEL / "canary.json", calibrations)
    level = merge_shards(root).root / "levels" / LEVEL
    both = {"shards": {"0": rounds[0], "1": rounds[1]}}
    assert read_json(level / "canary.json") == rounds[1] | both
    own = [read_json(path / "canary.json") for path in sorted(level.glob("hosts/*"))]
    assert own == rounds


def test_a_control_run_is_merged_as_if_all_had_begun_it_together(
    run: RunFolder, tmp_path: Path
) -> None:
    """Each shard plays its own, whenever it comes to it: two hosts of one clock, 5 s apart."""
    whole = RunFolder(tmp_path / "whole" / "r-1")
    shutil.copytree(run.root, whole.root)
    level = whole.root / "levels" / LEVEL
    shutil.copytree(level, level / CONTROL)
    hosts = [Host("gen-a"), Host("gen-b")]
    root = deal(whole, tmp_path, hosts)
    own = shard_folder(root, 1) / "levels" / LEVEL / CONTROL
    shutil.rmtree(own)
    deal_level(level / CONTROL, own, Share(1, len(hosts)), 5 * SECOND)
    control = merge_shards(root).root / "levels" / LEVEL / CONTROL
    assert read_level(control, 1).frame.equals(read_level(level, 1).frame)
    log, wanted = read_json(control / "level.json"), read_json(level / "level.json")
    assert (log["go_ns"], log["phases_ns"]) == (wanted["go_ns"], wanted["phases_ns"])


def test_a_run_in_shards_is_one_run_and_passed_over_until_it_is_merged(
    run: RunFolder, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    deal(run, results, HOSTS).rename(results / "20260101_000000-bbbb")
    (sentence,) = read_runs(results).passed_over
    assert "not merged yet: `perf-pipeline merge 20260101_000000-bbbb`" in sentence


def test_an_archive_has_the_records_of_merged_shards_once(run: RunFolder, tmp_path: Path) -> None:
    results = tmp_path / "results"
    merged = merge_shards(deal(run, results, HOSTS))
    measure(merged)
    export_archive(results, tmp_path / "archive.tar.gz")
    with tarfile.open(tmp_path / "archive.tar.gz") as archive:
        names = archive.getnames()
    assert [name for name in names if "/shards/" in name] == []
    assert sum(name.endswith(".sqlite") for name in names) == WORKERS
    assert left_out(results) == []


def files_below(folder: Path) -> set[int]:
    """Return the inodes of all files."""
    return {path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def test_pruning_removes_the_shards_and_counts_linked_files_once(
    run: RunFolder, tmp_path: Path
) -> None:
    """Journals that are linked take their room once; it is free when all links are gone."""
    merged = merge_shards(deal(run, tmp_path, HOSTS))
    measure(merged)
    journals = [merged.root / "levels" / LEVEL / f"worker-{at}.sqlite" for at in range(WORKERS)]
    assert {path.stat().st_nlink for path in journals} == {2}
    size = sum(path.stat().st_size for path in journals)
    before = files_below(tmp_path)
    now = datetime.now(UTC) + timedelta(days=400)
    (pruned,) = prune(tmp_path, timedelta(days=1), now, dry_run=False).runs
    assert size <= pruned.bytes < 2 * size
    assert pruned.files == len(before - files_below(tmp_path))
    assert not (merged.root / "shards").exists()
    assert read_metrics(merged).status == COMPLETE


def test_the_logs_of_all_shards_are_those_of_the_run(run: RunFolder, tmp_path: Path) -> None:
    root = deal(run, tmp_path, HOSTS)
    for index in range(len(HOSTS)):
        logs = shard_folder(root, index) / "logs"
        logs.mkdir()
        (logs / "run.jsonl").write_text(f"{index}\n")
    merge_shards(root)
    merged = merge_shards(root).root / "logs"
    assert {path.name: path.read_text() for path in merged.iterdir()} == {
        "shard-0-run.jsonl": "0\n",
        "shard-1-run.jsonl": "1\n",
    }


def test_the_progress_of_a_run_is_the_sum_of_its_shards(run: RunFolder, tmp_path: Path) -> None:
    """Shard 1 is killed at 2.5 s while it writes; a second is summed when it is over."""
    root = deal(run, tmp_path, HOSTS)
    at_s = [(0.0, 0.4, 1.4, 2.4, 3.4), (0.0, 0.1, 1.9, 2.5)]
    for index, own in enumerate(at_s):
        reports = [
            {
                "label": "10",
                "phase": "steady" if elapsed_s else "start",
                "totals": {"started": 100 * place, "ended": 90 * place, "failed": index},
                "rate_per_s": 90.0 * bool(place),
                "elapsed_s": elapsed_s,
            }
            for place, elapsed_s in enumerate(own)
        ]
        text = "".join(f"{json.dumps(one)}\n" for one in reports)
        (shard_folder(root, index) / "progress.jsonl").write_text(text + '{"label": "1')
    lines = (merge_shards(root).root / "progress.jsonl").read_text().splitlines()
    merged = [json.loads(line) for line in lines]
    assert [one["elapsed_s"] for one in merged] == [0.4, 1.9, 2.5, 3.4]
    assert [one["totals"]["started"] for one in merged] == [200, 400, 600, 700]
    assert [one["rate_per_s"] for one in merged] == [180.0] * 4
    assert merged[-1]["totals"] == {"started": 700, "ended": 630, "failed": 1}
    assert {one["phase"] for one in merged} == {"steady"}


def test_writes_that_nobody_counted_are_not_reconciled(run: RunFolder, tmp_path: Path) -> None:
    """What shard 0 counted is compared; without it there is no verdict on the writes."""
    root = deal(run, tmp_path, HOSTS)
    order = read_order(order_file(root))
    writing = replace(order.scenario, workloads=(Workload("database", "simple"),))
    text = {"schema_version": 1, **asdict(replace(order, scenario=writing))}
    write_json(order_file(root), text)
    (write,) = measure(merge_shards(root)).levels[0].writes
    assert (write.server, write.found, write.missing) == ("postgres", None, None)
    assert write.expected > 0
    assert write.problem == "not reconciled: shard 0 (host gen-a) stored no count"
    numbers = frozenset(pl.read_parquet(run.records).filter(pl.col("outcome") == 0)["number"])
    level = shard_folder(root, 0) / "levels" / LEVEL
    write_counted(level, {"postgres": CountedWrites(numbers - {7, 8})})
    (write,) = measure(merge_shards(root)).levels[0].writes
    assert (write.found, write.missing, write.problem) == (write.expected - 2, 2, None)
    kill(root, 0, after_commits=3)
    write_counted(
        level, {"postgres": CountedWrites(frozenset(), "not reconciled: shard 1 is lost")}
    )
    metrics = measure(merge_shards(root))
    assert metrics.validity == "incomplete"
    assert metrics.levels[0].writes[0].problem == "not reconciled: shard 1 is lost"
