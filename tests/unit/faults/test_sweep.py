"""The next run takes back what a killed one left, and says so."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import read_settings
from perf_pipeline.faults import taking_back
from perf_pipeline.faults.fault_journal import (
    journal_folder,
    new_path,
    read_journal,
    write_fault,
)
from perf_pipeline.faults.sweep import still_open, sweep, sweep_own
from perf_pipeline.lifeline import ProcessStamp, own_stamp, stamp
from tests.unit.faults.test_fault_journal import opened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault_journal import OpenFault

URL = "redis://:hunter2hunter2@127.0.0.1:1/0"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of the test's own; they name a Redis with a password."""
    environ = {"PERF_PIPELINE_REDIS_URL": URL, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    return replace(read_settings(environ, current_dir=tmp_path), state_dir=tmp_path)


@pytest.fixture
def dead() -> ProcessStamp:
    """The stamp of a process that has ended."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as it:
        ended = stamp(it.pid)
    assert ended is not None
    return ended


@pytest.fixture
def undone(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, object]]:
    """The entries that a planted kind was asked to take back."""
    entries: list[Mapping[str, object]] = []

    class Kind:
        undo_left_behind = staticmethod(entries.append)

    monkeypatch.setattr(taking_back, "kind_module", lambda _: Kind)
    return entries


def _write(settings: Settings, fault: OpenFault) -> Path:
    path = new_path(journal_folder(settings.state_dir))
    write_fault(path, fault)
    return path


def test_what_a_dead_run_left_is_taken_back_with_the_password_that_the_settings_know(
    settings: Settings, dead: ProcessStamp, undone: list[Mapping[str, object]]
) -> None:
    _write(settings, opened(owner=dead, injector=dead, guardian=dead, entry={"url": URL}))
    (sentence,) = sweep(settings)
    assert sentence.startswith("server_freeze on redis, in effect when /results/run/")
    assert sentence.endswith("it was taken back")
    assert undone == [{"url": URL}]
    assert read_journal(settings.state_dir) == {}
    assert sweep(settings) == []


def test_a_run_that_lives_keeps_its_failures(
    settings: Settings, undone: list[Mapping[str, object]]
) -> None:
    _write(settings, opened())
    assert sweep(settings) == []
    assert undone == []
    assert len(read_journal(settings.state_dir)) == 1


def test_what_an_earlier_run_of_this_process_could_not_take_back_is_tried_again(
    settings: Settings, dead: ProcessStamp, undone: list[Mapping[str, object]]
) -> None:
    """The process lives, and its next run begins; injector and guardian are dead."""
    _write(settings, opened(injector=dead, guardian=dead))
    assert len(sweep(settings)) == len(undone) == 1
    assert read_journal(settings.state_dir) == {}


def test_what_is_still_open_names_who_takes_it_back(settings: Settings, dead: ProcessStamp) -> None:
    path = _write(settings, opened(injector=dead, guardian=own_stamp()))
    (sentence,) = still_open(dead, settings.state_dir)
    assert sentence.endswith(f"process {os.getpid()} still takes it back; see {path}")
    assert still_open(own_stamp(), settings.state_dir) == []


def test_what_its_guardian_took_back_is_said_once(
    settings: Settings, dead: ProcessStamp, undone: list[Mapping[str, object]]
) -> None:
    said = "its injector had ended; it was taken back by its guardian"
    _write(settings, opened(owner=dead, injector=dead, undone=said))
    (sentence,) = sweep(settings)
    assert sentence.endswith(said)
    assert undone == []
    assert sweep(settings) == []


def test_one_that_dies_with_its_process_is_said_to_have_ended(
    settings: Settings, dead: ProcessStamp, undone: list[Mapping[str, object]]
) -> None:
    _write(settings, opened(owner=dead, injector=dead, entry={}))
    (sentence,) = sweep(settings)
    assert sentence.endswith("it had ended with the process that injected it")
    assert undone == []


def test_one_of_a_server_that_ended_with_its_run_needs_nothing(
    settings: Settings, dead: ProcessStamp, undone: list[Mapping[str, object]]
) -> None:
    _write(settings, opened(owner=dead, injector=dead, server_folder="/tmp/perf_pipeline-server-x"))  # noqa: S108
    (sentence,) = sweep(settings)
    assert sentence.endswith("it had ended with its server")
    assert undone == []


def test_what_cannot_be_taken_back_is_said_and_tried_again(
    settings: Settings, dead: ProcessStamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise OSError("connection refused")

    class Kind:
        undo_left_behind = staticmethod(fails)

    monkeypatch.setattr(taking_back, "kind_module", lambda _: Kind)
    path = _write(settings, opened(owner=dead, injector=dead))
    for _ in range(2):
        (sentence,) = sweep(settings)
        assert "could not be taken back: connection refused" in sentence
        assert str(path) in sentence


def test_a_run_takes_back_what_its_own_killed_injector_left_unless_a_guardian_lives(
    settings: Settings, dead: ProcessStamp, undone: list[Mapping[str, object]]
) -> None:
    _write(settings, opened(injector=dead, guardian=own_stamp()))
    assert sweep_own(settings.state_dir, dead, [URL]) == []
    _write(settings, opened(injector=dead, guardian=dead))
    assert len(sweep_own(settings.state_dir, dead, [URL])) == 1
    assert len(undone) == 1


def test_the_folder_of_a_killed_failure_is_removed_and_no_other(
    settings: Settings, dead: ProcessStamp, undone: list[Mapping[str, object]], tmp_path: Path
) -> None:
    level = tmp_path / "level"
    own, other = level / "fault-0", tmp_path / "fault-1"
    own.mkdir(parents=True)
    other.mkdir()
    for folder in (own, other):
        fault = opened(owner=dead, injector=dead, level=str(level), own_folder=str(folder))
        _write(settings, fault)
    assert len(sweep(settings)) == len(undone) == 2
    assert not own.exists()
    assert other.exists()
