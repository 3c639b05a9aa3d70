"""The sampled workflows of a level, as read from its journal after it has ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.loadgen.logged.operation_lines import MAX_FAILED, MAX_OTHERS, OperationLines
from perf_pipeline.loadgen.supervise.level_log import LevelLog
from perf_pipeline.logs.log import Log, LogContext
from perf_pipeline.logs.trace import span_id
from perf_pipeline.samples.fault_log import FAULTS_FILE, line
from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.record import RECORD, ErrorClass, Outcome
from perf_pipeline.targets.target import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

RUN = "20261130_120000-4f2c"
KINDS = (Kind("analytics", "medium"), Kind("shop:order", ""))
MS_NS = 1_000_000
OFFSET_NS = 1_764_504_000_000_000_000
WINDOW = {"kind": "server_freeze", "server": "redis", "at_s": 0.1, "duration_s": 0.2}


def logged(folder: Path, records: Iterable[bytes]) -> list[dict[str, Any]]:
    journal = JournalWriter(folder / "worker-0.sqlite")
    payload = b"".join(records)
    journal.commit(payload, len(payload) // RECORD.size, 1)
    journal.error_example(ErrorClass.CONNECTION, "refused by redis")
    journal.close()
    steady = {"warm_up": (0, 100 * MS_NS), "steady": (100 * MS_NS, None)}
    level = LevelLog({"index": 0, "label": "5"}, "", phases_ns=steady)
    log = Log("00-5-operations", LogContext(str(folder / "logs"), labels={"run_id": RUN})).open()
    OperationLines(log, RUN, folder, level, KINDS, lambda at: at + OFFSET_NS).write()
    log.close()
    text = (folder / "logs" / "00-5-operations.jsonl").read_text(encoding="utf-8")
    return [json.loads(one) for one in text.splitlines()]


def record(number: int, end_ms: int, outcome: Outcome = Outcome.OK, kind: int = 0) -> bytes:
    """Intended 30 ms before its end, started 20 ms before it."""
    error = ErrorClass.CONNECTION if outcome is Outcome.ERROR else ErrorClass.NONE
    times = (end_ms - 30) * MS_NS, (end_ms - 20) * MS_NS, end_ms * MS_NS
    return RECORD.pack(number, *times, 0, kind, outcome, error, 0)


def test_a_line_of_a_workflow_has_its_times_ids_phase_and_failures(tmp_path: Path) -> None:
    steps = [
        line(0, "planned", 0, window=WINDOW),
        line(0, "injecting", 200 * MS_NS),
        line(0, "gone", 400 * MS_NS),
    ]
    (tmp_path / FAULTS_FILE).write_text("".join(steps))
    lines = logged(tmp_path, [record(7, 150), record(8, 210, Outcome.ERROR, 1), record(9, 450)])
    first, second, third, example, counts = lines
    assert second["@timestamp"] == "2025-11-30T12:00:00.210000Z"
    assert second["event.dataset"] == "loadtest.op"
    assert (second["event.outcome"], second["error.type"]) == ("failure", "connection")
    assert (second["event.duration"], second["loadtest.service_time_ns"]) == (
        30 * MS_NS,
        20 * MS_NS,
    )
    assert second["loadtest.schedule_lag_ns"] == 10 * MS_NS
    assert second["span.id"] == span_id(RUN, "00-5", 8)
    assert (second["labels.workload"], first["labels.workload"]) == (
        "shop:order",
        "analytics medium",
    )
    assert first["labels.backend"] == "postgres redis"
    assert [one.get("labels.fault_id") for one in (first, second, third)] == [
        None,
        "server_freeze-0",
        None,
    ]
    assert {one["labels.phase"] for one in (first, second, third)} == {"steady"}
    assert example["error.message"] == "refused by redis"
    assert (counts["loadtest.workflows"], counts["loadtest.failed"]) == (3, 1)


@pytest.mark.parametrize("failed", [0, 1, MAX_FAILED, MAX_FAILED + 7, 3 * MAX_FAILED])
def test_counts_of_lines_are_counts_of_workflows_by_one_in_n(failed: int, tmp_path: Path) -> None:
    """However many workflows a level has, its lines are bounded; each stands for ``one_in``."""
    outcomes = [Outcome.TIMEOUT] * failed + [Outcome.OK] * 5000
    lines = logged(tmp_path, (record(n, 100 + n, one) for n, one in enumerate(outcomes)))
    ended = [one for one in lines if one["event.action"] == "operation-ended"]
    failures = [one for one in ended if one["event.outcome"] == "failure"]
    others = [one for one in ended if one["event.outcome"] == "success"]
    assert len(failures) <= MAX_FAILED
    assert len(others) <= MAX_OTHERS
    assert 0 <= sum(one["loadtest.one_in"] for one in failures) - failed <= 1  # one in 1, 2 or 3
    assert sum(one["loadtest.one_in"] for one in others) == 5000
    assert [one["@timestamp"] for one in ended] == sorted(one["@timestamp"] for one in ended)


def test_a_journal_that_cannot_be_read_is_named_and_the_others_are_logged(tmp_path: Path) -> None:
    (tmp_path / "worker-1.sqlite").write_bytes(b"no database, but long enough to be looked at")
    lines = logged(tmp_path, [record(1, 150)])
    assert [one["event.action"] for one in lines][-1] == "journal-unreadable"
    assert lines[0]["event.action"] == "operation-ended"
