"""A guardian takes back what is open when its injector has ended or hangs."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults import guardian, taking_back
from perf_pipeline.faults.fault_journal import journal_folder, new_path, read_fault, write_fault
from perf_pipeline.faults.guardian import FaultGuardian
from perf_pipeline.samples.fault_log import FAULTS_FILE
from tests.unit.faults.test_fault_journal import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "redis://:hunter2hunter2@127.0.0.1:1/0"


class Watched:
    """A guardian in a thread of this process, over an injector that does nothing."""

    def __init__(self, folder: Path) -> None:
        self.level = folder / "level"
        self.level.mkdir()
        self.path = new_path(journal_folder(folder))
        self.injector = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        self._source, self._sink = os.pipe()
        watching = FaultGuardian(self.injector.pid, self._source)
        self.thread = threading.Thread(target=watching.run)
        self.thread.start()

    def open(self, within_s: float) -> None:
        fault = opened(entry={"url": URL}, level=str(self.level))
        write_fault(self.path, fault)
        self._send({"open": str(self.path), "fault": fault.as_json(), "within_s": within_s})

    def close(self) -> None:
        self._send({"closed": str(self.path)})

    def end(self) -> None:
        self.injector.kill()
        self.injector.communicate()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def _send(self, message: object) -> None:
        os.write(self._sink, json.dumps(message).encode() + b"\n")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A guardian and its injector, which are ended."""
    made = Watched(tmp_path)
    yield made
    made.end()


@pytest.fixture
def undone(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What a planted kind was asked to take back."""
    entries: list[object] = []

    class Kind:
        undo_left_behind = staticmethod(entries.append)

    for module in (guardian, taking_back):
        monkeypatch.setattr(module, "kind_module", lambda _: Kind)
    return entries


def test_what_is_open_when_the_injector_dies_is_taken_back_and_noted(
    watched: Watched, undone: list[object]
) -> None:
    """With the password that the journal does not have; the level's log has the reason."""
    watched.open(within_s=60.0)
    watched.end()
    assert undone == [{"url": URL}]
    fault = read_fault(watched.path)
    assert fault is not None
    assert fault.undone == "its injector had ended; it was taken back by its guardian"
    lines = (watched.level / FAULTS_FILE).read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == ["undoing", "failed"]


def test_a_log_that_cannot_be_written_keeps_nothing_in_effect(
    watched: Watched, undone: list[object]
) -> None:
    (watched.level / FAULTS_FILE).mkdir()
    watched.open(within_s=60.0)
    watched.end()
    assert undone == [{"url": URL}]
    fault = read_fault(watched.path)
    assert fault is not None
    assert fault.undone != ""


def test_what_was_closed_is_left_alone(watched: Watched, undone: list[object]) -> None:
    watched.open(within_s=60.0)
    watched.close()
    watched.end()
    assert undone == []
    assert not (watched.level / FAULTS_FILE).exists()


def test_what_stays_open_for_too_long_is_taken_back_while_the_injector_lives(
    watched: Watched, undone: list[object]
) -> None:
    watched.open(within_s=0.1)
    deadline_s = time.monotonic() + 10
    while not undone and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert undone == [{"url": URL}]
    assert watched.injector.poll() is None


def test_one_that_cannot_be_taken_back_is_left_to_the_next_run(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise OSError("no route")

    class Kind:
        undo_left_behind = staticmethod(fails)

    for module in (guardian, taking_back):
        monkeypatch.setattr(module, "kind_module", lambda _: Kind)
    watched.open(within_s=60.0)
    watched.end()
    fault = read_fault(watched.path)
    assert fault is not None
    assert replace(fault, entry={}).undone == ""
    assert "no route" in (watched.level / FAULTS_FILE).read_text()
