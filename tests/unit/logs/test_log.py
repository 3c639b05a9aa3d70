"""Lines of a process: ECS fields, numbers without gaps, bounded files, every loss counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perf_pipeline.logs.ecs import MAX_LINE_BYTES
from perf_pipeline.logs.log import DROPPED, Log, LogContext
from perf_pipeline.logs.log_file import RESERVE_BYTES, LogFile
from perf_pipeline.logs.stored import LogTail, gap_sentences, in_order, log_files
from perf_pipeline.logs.trace import span_id, trace_id

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOON_NS = 1_764_504_000_123_456_789
RUN = "20261130_120000-4f2c"


def context(folder: Path) -> LogContext:
    names = {"run_id": RUN, "scenario": "baseline"}
    return LogContext(str(folder), "0.1.0", trace_id(RUN), names)


def documents(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_has_the_fields_of_the_schema(tmp_path: Path) -> None:
    log = Log("run", context(tmp_path), clock_ns=lambda: NOON_NS).open()
    log.write(
        "error",
        "fault-failed",
        "it failed",
        dataset="fault",
        outcome="failure",
        duration_ns=5,
        span_id=span_id(RUN, "00-100"),
        error=ValueError("bad"),
        labels={"fault_id": "pause-0", "phase": ""},
        evidence_ratio=0.5,
        not_a_number=float("nan"),
        unknown=None,
    )
    log.close()
    (line,) = documents(tmp_path / "run.jsonl")
    pid, host = line.pop("process.pid"), line.pop("host.name")
    assert isinstance(pid, int)
    assert host
    assert line == {
        "@timestamp": "2025-11-30T12:00:00.123456Z",
        "log.level": "error",
        "message": "it failed",
        "ecs.version": "1.6.0",
        "service.name": "perf_pipeline",
        "service.version": "0.1.0",
        "service.node.name": "run",
        "event.dataset": "loadtest.fault",
        "event.action": "fault-failed",
        "event.outcome": "failure",
        "event.duration": 5,
        "event.sequence": 0,
        "trace.id": trace_id(RUN),
        "span.id": span_id(RUN, "00-100"),
        "error.type": "ValueError",
        "error.message": "bad",
        "error.stack_trace": "ValueError: bad\n",
        "labels.run_id": RUN,
        "labels.scenario": "baseline",
        "labels.fault_id": "pause-0",
        "loadtest.evidence_ratio": 0.5,
    }
    assert (len(trace_id(RUN)), len(span_id(RUN, "00-100", 7))) == (32, 16)


def test_what_a_run_does_before_it_has_a_folder_is_in_its_log(tmp_path: Path) -> None:
    log = Log("run")
    log.write("info", "notice", "first")
    log.open(context(tmp_path))
    log.write("info", "notice", "second")
    log.close()
    lines = documents(tmp_path / "run.jsonl")
    assert [(one["message"], one["labels.run_id"]) for one in lines] == [
        ("first", RUN),
        ("second", RUN),
    ]


def test_the_numbers_go_on_after_a_process_that_was_killed_while_it_wrote(tmp_path: Path) -> None:
    for _ in range(2):
        log = Log("worker-0", context(tmp_path)).open()
        log.write("info", "notice", "whole")
        log.close()
        with (tmp_path / "worker-0.jsonl").open("a") as file:
            file.write('{"@timestamp": "2026')
    log = Log("worker-0", context(tmp_path)).open()
    log.write("info", "notice", "whole")
    log.close()
    tail = LogTail(tmp_path / "worker-0.jsonl")
    assert [line.sequence for line in tail.new_lines()] == [0, 1, 2]
    assert (tail.completeness.damaged, tail.completeness.missing) == (2, 0)
    assert len(gap_sentences([tail])) == 1


def test_two_processes_of_one_name_write_two_files(tmp_path: Path) -> None:
    logs = [Log("run", context(tmp_path)).open() for _ in range(2)]
    for number, log in enumerate(logs):
        log.write("info", "notice", f"{number}")
        log.close()
    assert [len(documents(path)) for path in log_files(tmp_path)] == [1, 1]


def test_a_line_of_any_size_fits_and_says_what_was_cut(tmp_path: Path) -> None:
    """Of a stack trace the end stays, which names the error; control characters are escaped."""
    log = Log("run", context(tmp_path)).open()
    for text in (
        "x" * 1_000_000,
        "\x00" * 20_000,
        "\x1b[2J\u202e\n" * 3000,
        "é" * 9000,
        "😀" * 5000,
    ):
        log.write(
            "error", "notice", text, error=ValueError(text + "the end"), labels={"worker": text}
        )
    log.close()
    content = (tmp_path / "run.jsonl").read_bytes()
    lines = content.splitlines(keepends=True)
    assert max(map(len, lines)) <= MAX_LINE_BYTES
    assert min(map(len, lines)) > MAX_LINE_BYTES / 2
    assert set(content) <= set(b"\n") | set(range(32, 127))
    found = documents(tmp_path / "run.jsonl")
    assert all(one["loadtest.cut_characters"] > 0 for one in found)
    assert all(one["error.stack_trace"].endswith("the end\n") for one in found)


def test_what_a_full_file_drops_is_counted_and_warnings_have_room_left(tmp_path: Path) -> None:
    log = Log("run", context(tmp_path))
    log.open()
    log._file = LogFile(tmp_path / "small.jsonl", max_bytes=RESERVE_BYTES + 20_000)
    for number in range(100):
        log.write("info", "notice", f"{number} " + "x" * 500)
    log.write("error", "run-ended", "why it ended")
    log.close()
    tail = LogTail(tmp_path / "small.jsonl")
    lines = tail.new_lines()
    noted = [one.document for one in lines if one.document["event.action"] == DROPPED]
    info = [one for one in lines if one.document["log.level"] == "info"]
    assert sum(one["loadtest.dropped_lines"] for one in noted) == 100 - len(info) > 50
    assert tail.completeness.missing == tail.completeness.dropped == 100 - len(info)
    assert lines[-1].document["message"] == "why it ended"
    assert "were dropped by their writer" in gap_sentences([tail])[0]


def test_a_full_disk_costs_lines_that_are_counted_and_no_error(tmp_path: Path) -> None:
    log = Log("run", context(tmp_path)).open()
    file = log._file
    assert file is not None
    descriptor = file._descriptor
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        file._descriptor = full.fileno()
        log.write("info", "notice", "lost")
        file._descriptor = descriptor
    log.write("info", "notice", "written")
    log.close()
    lines = documents(tmp_path / "run.jsonl")
    assert [one["event.action"] for one in lines] == [DROPPED, "notice"]
    assert lines[0]["loadtest.dropped_lines"] == 1


def test_a_folder_of_logs_that_is_a_link_is_not_written_through(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "logs").symlink_to(elsewhere)
    log = Log("run", context(tmp_path / "logs")).open()
    log.write("info", "notice", "nowhere")
    log.close()
    assert list(elsewhere.iterdir()) == []
    assert "symbolic link" in capfd.readouterr().err


def test_lines_of_all_processes_come_in_the_order_of_time(tmp_path: Path) -> None:
    now = iter(range(0, 60_000_000_000, 1_000_000_000))
    logs = [Log(name, context(tmp_path), clock_ns=lambda: next(now)).open() for name in "abc"]
    for turn in (0, 1, 2, 1, 0, 2):
        logs[turn].write("info", "notice", "")
    for log in logs:
        log.close()
    lines = list(in_order([LogTail(path) for path in log_files(tmp_path)]))
    assert [line.stream for line in lines] == ["a", "b", "c", "b", "a", "c"]


def test_every_line_that_somebody_took_out_is_missed(tmp_path: Path) -> None:
    log = Log("run", context(tmp_path)).open()
    for number in range(20):
        log.write("info", "notice", str(number))
    log.close()
    path = tmp_path / "run.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[12:15], lines[0]
    path.write_bytes(b"".join(lines))
    tail = LogTail(path)
    tail.new_lines()
    assert tail.completeness.gaps == [(0, 0), (12, 14)]
    assert gap_sentences([tail])[0].startswith("run.jsonl lacks 4 of 20 lines (numbers 0, 12-14)")
