"""What a worker prints, as it is stored."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.supervise import worker_log
from perf_pipeline.loadgen.supervise.worker_log import WorkerLog
from perf_pipeline.redaction.redact import remember_url

if TYPE_CHECKING:
    import pytest


def printed(folder: Path, script: str) -> WorkerLog:
    """The log of a shell script that has ended."""
    log = WorkerLog(folder / "log")
    subprocess.run(["sh", "-c", script], stdout=log.write_end, stderr=log.write_end, check=True)
    log.started()
    log.close()
    return log


def test_both_streams_are_stored_and_a_line_without_an_end_too(tmp_path: Path) -> None:
    log = printed(tmp_path, "echo out; echo error >&2; printf unfinished")

    assert log.path.read_text() == "out\nerror\nunfinished"
    assert log.dropped_bytes == 0


def test_a_password_is_not_stored_even_if_it_is_printed_in_two_pieces(tmp_path: Path) -> None:
    remember_url("redis://u:CANARYlog1@h/0")

    log = printed(
        tmp_path, "printf 'CANARY'; sleep 0.05; printf 'log1\\n'; echo redis://a:CANARYx@h"
    )

    assert log.path.read_text() == "***\nredis://a:***@h\n"


def test_a_password_in_a_line_without_end_is_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_log, "_LINE_BYTES", 100)
    remember_url("redis://u:CANARYlog2@h/0")

    log = printed(tmp_path, "for i in $(seq 300); do printf 'CANARYlog2 '; done")

    assert log.path.read_text() == "*** " * 300


def test_a_long_log_keeps_its_beginning_and_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_log, "HEAD_BYTES", 1000)
    monkeypatch.setattr(worker_log, "TAIL_BYTES", 500)

    log = printed(tmp_path, "echo first; yes | head -c 500000; echo last")

    text = log.path.read_text()
    assert text.startswith("first\ny\n")
    assert text.endswith("y\nlast\n")
    assert f"... {log.dropped_bytes:,} bytes left out" in text
    assert log.dropped_bytes == 500_000 + len("first\nlast\n") - 1500


def test_a_child_that_outlives_the_worker_does_not_hold_the_log_open(tmp_path: Path) -> None:
    log = printed(tmp_path, "echo kept; sleep 3 & echo $! >&2")

    first, child = log.path.read_text().split()
    assert first == "kept"
    assert Path(f"/proc/{child}").exists()
    os.kill(int(child), 9)


def test_what_is_dropped_is_not_looked_through_and_everything_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking through a gigabyte for passwords would hold up the target that prints it."""
    looked_through = 0

    def counting(text: str) -> str:
        nonlocal looked_through
        looked_through += len(text)
        return text

    monkeypatch.setattr(worker_log, "HEAD_BYTES", 1000)
    monkeypatch.setattr(worker_log, "TAIL_BYTES", 500)
    monkeypatch.setattr(worker_log, "redacted", counting)
    log = printed(tmp_path, "yes | head -c 20000000; echo last")
    assert log.printed_bytes == 20_000_005
    assert log.dropped_bytes == log.printed_bytes - 1500
    assert log.path.stat().st_size < 2000
    assert looked_through < 2_000_000


def test_a_password_at_the_cut_of_the_end_is_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_log, "HEAD_BYTES", 100)
    remember_url("redis://u:CANARYlog3@h/0")
    for tail in range(40, 60):
        monkeypatch.setattr(worker_log, "TAIL_BYTES", tail)
        folder = tmp_path / str(tail)
        folder.mkdir()
        log = printed(folder, "for i in $(seq 40); do echo CANARYlog3; done")
        assert "log3" not in log.path.read_text()
        assert "CANARY" not in log.path.read_text()


def test_a_short_log_is_stored_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_log, "HEAD_BYTES", 10)
    log = printed(tmp_path, "echo 0123456789abcdef")
    assert log.path.read_text() == "0123456789abcdef\n"
    assert log.dropped_bytes == 0
