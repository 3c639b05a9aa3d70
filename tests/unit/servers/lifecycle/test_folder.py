"""Processes are found by where they are, never by name."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from perf_pipeline.lifeline import own_stamp
from perf_pipeline.servers.lifecycle.folder import (
    discard_lock,
    empty_of_processes,
    guardian_of,
    processes_in,
    remove_folder,
)


def test_processes_are_found_by_their_current_folder(tmp_path: Path) -> None:
    """One in the folder, one below it, and one in a folder whose name only begins like it."""
    inside, below, beside = tmp_path / "a b", tmp_path / "a b/data", tmp_path / "a b c"
    below.mkdir(parents=True)
    beside.mkdir()
    children = [subprocess.Popen(["sleep", "60"], cwd=where) for where in (inside, below, beside)]
    try:
        assert sorted(processes_in(inside)) == sorted(child.pid for child in children[:2])
        assert empty_of_processes(inside, grace_s=0.0) == []
        assert [child.wait(5) for child in children[:2]] == [-signal.SIGKILL] * 2
        assert children[2].poll() is None
    finally:
        for child in children:
            child.kill()
            child.wait()


def test_a_process_that_leaves_within_the_grace_is_not_killed(tmp_path: Path) -> None:
    """Its exit code shows it."""
    child = subprocess.Popen(["sh", "-c", "sleep 0.2; exit 7"], cwd=tmp_path)
    assert empty_of_processes(tmp_path, grace_s=20.0) == []
    assert child.wait() == 7


def test_the_segment_that_a_dead_postgresql_left_is_removed(tmp_path: Path) -> None:
    """A real segment, named in the seventh line of a lock file as PostgreSQL writes it."""
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(0, 56, 0o600)
    assert segment >= 0
    lock_file = tmp_path / "data/postmaster.pid"
    lock_file.parent.mkdir()
    lines = ["1", str(tmp_path), "1795000000", "5432", "", "127.0.0.1", f"  5432001  {segment}", ""]
    lock_file.write_text("\n".join(lines), encoding="ascii")
    assert str(segment) in _segments()
    remove_folder(tmp_path)
    assert str(segment) not in _segments()
    assert not tmp_path.exists()


@pytest.mark.parametrize("text", ["", "1\n", "1\n2\n3\n4\n5\n6\n\n"])
def test_a_lock_file_that_names_no_segment_yet_is_removed_too(tmp_path: Path, text: str) -> None:
    """PostgreSQL fills it line by line while it starts."""
    lock_file = tmp_path / "postmaster.pid"
    lock_file.write_text(text, encoding="ascii")
    discard_lock(lock_file)
    assert not lock_file.exists()
    discard_lock(lock_file)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"guardian": [1]}', '{"guardian": 1}'])
def test_a_folder_that_does_not_name_its_owner_has_no_guardian(tmp_path: Path, text: str) -> None:
    """It may be in the making, or a crash cut it short."""
    assert guardian_of(tmp_path) is None
    (tmp_path / "guardian.json").write_text(text, encoding="ascii")
    assert guardian_of(tmp_path) is None


def test_a_folder_names_its_guardian(tmp_path: Path) -> None:
    """As the guardian writes it."""
    text = json.dumps({"guardian": own_stamp()})
    (tmp_path / "guardian.json").write_text(text, encoding="ascii")
    found = guardian_of(tmp_path)
    assert found is not None
    assert (found.pid, found.is_alive()) == (os.getpid(), True)


def _segments() -> list[str]:
    lines = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    return [line.split()[1] for line in lines]
