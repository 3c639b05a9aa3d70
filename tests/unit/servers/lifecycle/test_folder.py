"""Processes are found by where they are, never by name."""

from __future__ import annotations

import ctypes
import signal
import subprocess
from pathlib import Path

import pytest

from perf_pipeline.servers.lifecycle.folder import (
    discard_lock,
    empty_of_processes,
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


def test_a_segment_that_is_not_the_folders_is_never_removed(tmp_path: Path) -> None:
    """One with a process attached is a living server's; a link leads to another's lock file."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    segment = libc.shmget(0, 56, 0o600)
    attached = libc.shmat(segment, None, 0)
    others, ours = tmp_path / "others", tmp_path / "ours"
    try:
        for folder in (others, ours):
            folder.mkdir()
        (others / "data").mkdir()
        text = "\n".join(["1", "", "", "", "", "", f"  5432001  {segment}", ""])
        (others / "data/postmaster.pid").write_text(text, encoding="ascii")

        (ours / "data").symlink_to(others / "data")
        remove_folder(ours)
        assert (others / "data/postmaster.pid").exists()
        ours.mkdir()
        (ours / "data").mkdir()
        (ours / "data/postmaster.pid").symlink_to(others / "data/postmaster.pid")
        remove_folder(ours)
        assert (others / "data/postmaster.pid").exists()
        assert str(segment) in _segments()

        remove_folder(others)
        assert str(segment) in _segments()
    finally:
        libc.shmdt(ctypes.c_void_p(attached))
        libc.shmctl(segment, 0, None)


def _segments() -> list[str]:
    lines = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    return [line.split()[1] for line in lines]
