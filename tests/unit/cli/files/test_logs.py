"""perf-pipeline logs: the lines of a run by time, filtered, with what is missing of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.cli.app import call
from perf_pipeline.exit_code import Exit
from perf_pipeline.logs.log import LOOSE_FOLDER, Log, LogContext
from perf_pipeline.logs.run_log import run_log_context
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

RUN = "20261130_120000-4f2c"
NOON_NS = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()) * 1_000_000_000
SECOND_NS = 1_000_000_000


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A run with three processes, a line a second in turn."""
    folder = RunFolder(tmp_path / RUN)
    folder.begin("baseline")
    context = run_log_context(folder.root, "baseline")
    clock = {"ns": NOON_NS}
    logs = {
        name: Log(name, context, clock_ns=lambda: clock["ns"]).open()
        for name in ("run", "00-5-worker-0", "00-5-operations")
    }

    def write(name: str, *what: Any, **named: Any) -> None:
        logs[name].write(*what, **named)
        clock["ns"] += SECOND_NS

    write("run", "info", "level-began", "level 5 begins")
    write("00-5-worker-0", "info", "worker-ready", "ready")
    fault = {"fault_id": "server_freeze-0", "worker": "worker-0"}
    write(
        "00-5-operations",
        "debug",
        "operation-ended",
        "workflow 1: ok",
        labels={"worker": "worker-0"},
    )
    write("00-5-operations", "warning", "operation-ended", "workflow 2: timeout", labels=fault)
    write("00-5-worker-0", "error", "worker-failed", "it\x1b[2J raised", error=ValueError("Broken"))
    write("run", "info", "run-ended", "every level was played")
    for log in logs.values():
        log.close()
    return tmp_path


def shown(results: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert call(["logs", *arguments, "--results", str(results)]) == Exit.COMPLETE
    return capsys.readouterr().out.splitlines()


def test_the_lines_of_all_processes_are_shown_in_the_order_of_time(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sampled workflows that succeeded are left out, and a terminal obeys nothing in a line."""
    lines = shown(results, capsys)
    assert [line[:20].strip() for line in lines] == [
        "12:00:00.000 info",
        "12:00:01.000 info",
        "12:00:03.000 warning",
        "12:00:04.000 error",
        "12:00:05.000 info",
    ]
    assert lines[2].endswith("workflow 2: timeout  [fault_id=server_freeze-0]")
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [
        (("--level", "debug"), [0, 1, 2, 3, 4, 5]),
        (("--level", "warning"), [3, 4]),
        (("--level", "error"), [4]),
        (("--process", "run"), [0, 5]),
        (("--process", "worker-0"), [1, 3, 4]),
        (("--process", "00-5-operations"), [3]),
        (("--process", "worker"), []),
        (("--fault", "server_freeze-0"), [3]),
        (("--fault", "server_freeze"), [3]),
        (("--fault", "server"), []),
        (("--grep", "broken"), [4]),
        (("--grep", "run-ended"), [5]),
        (("--since", "2026-11-30T12:00:04"), [4, 5]),
        (("--since", "1s", "--grep", "nothing"), []),
    ],
)
def test_each_filter_leaves_the_lines_that_it_names(
    arguments: tuple[str, ...],
    seconds: list[int],
    results: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(results, capsys, RUN, *arguments)
    assert [int(line[6:8]) for line in lines if line.startswith("12:")] == seconds


def test_options_that_leave_nothing_say_so_and_name_the_processes(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong name prints as little as a process that logged nothing."""
    (line,) = shown(results, capsys, "--process", "worker-9")
    left_out, processes = line.split("; ")
    assert left_out == "none of 6 lines is what the options ask for"
    assert processes == "processes: 00-5-operations, 00-5-worker-0, run"


def test_a_program_gets_the_stored_documents_and_then_the_counts(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = results / RUN / "logs" / "run.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[1])
    why = "0 were dropped by their writer, 0 are damaged"
    *lines, last = map(json.loads, shown(results, capsys, "--level", "debug", "--json"))
    assert [one["event.sequence"] for one in lines] == [0, 0, 1, 1, 1]
    assert last == {
        "schema_version": 1,
        "folder": str(results / RUN / "logs"),
        "folders": [str(results / RUN / "logs")],
        "files": 3,
        "lines": 5,
        "shown": 5,
        "missing": 1,
        "dropped": 0,
        "damaged": 0,
        "gaps": [f"run.jsonl lacks 1 of 2 lines (numbers 0): {why}"],
    }


def test_processes_without_a_run_have_logs_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a results folder, and those of servers, which belong to none."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    state = tmp_path / "home" / "perf_pipeline"
    state.mkdir(parents=True)
    for name, folder in (("log-shipper", tmp_path), ("stop", state)):
        log = Log(name, LogContext(str(folder / LOOSE_FOLDER))).open()
        log.write("info", "began", "hello")
        log.close()
    lines = shown(tmp_path, capsys, "none")
    assert [line.split()[2:] for line in lines] == [["log-shipper", "hello"], ["stop", "hello"]]


def test_wrong_options_are_all_named(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ["logs", "--level", "loud", "--since", "noon", "--results", str(results)]
    assert call(wrong) == Exit.BAD_INPUT
    said = capsys.readouterr().err
    assert "--level is 'loud'" in said
    assert "--since is" in said
