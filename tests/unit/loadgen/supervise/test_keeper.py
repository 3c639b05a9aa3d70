"""What a worker starts ends with it, whatever its session, group and number of forks between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
RUN_KEEPER = (
    "from perf_pipeline.loadgen.supervise.keeper import main; import sys; main(sys.argv[1:])"
)
DAEMONS = """
import os, subprocess, sys, time

def write(pid):
    with open(sys.argv[1], "a") as file:
        file.write(f"{pid}\\n")

def sleep(**options):
    write(subprocess.Popen(["sleep", "60"], **options).pid)

sleep()                                                   # a child
sleep(start_new_session=True, env={}, stdin=subprocess.DEVNULL)
sleep(process_group=0)
if os.fork() == 0:                                        # a daemon: forked twice
    os.setsid()
    if os.fork() == 0:
        write(os.getpid())
        time.sleep(60)
    os._exit(0)
os.wait()
while len(open(sys.argv[1]).readlines()) < 4:
    time.sleep(0.01)
exec(sys.argv[2])
"""


class Kept:
    """A worker with its keeper, started as a supervisor starts them."""

    def __init__(self, folder: Path, end: str, supervisor: int | None = None) -> None:
        self.pids_file = folder / "pids"
        read, write = os.pipe()
        self.keeper = subprocess.Popen(
            [
                *(sys.executable, "-c", RUN_KEEPER, str(supervisor or os.getpid()), str(write)),
                *("--", sys.executable, "-c", DAEMONS, str(self.pids_file), end),
            ],
            cwd=ROOT,
            pass_fds=(write,),
            start_new_session=True,
        )
        os.close(write)
        self._report = os.fdopen(read, "rb")
        self.worker = int(self._report.readline())

    @property
    def started(self) -> list[int]:
        """The processes that the worker started, once it has started all of them."""
        deadline_s = time.monotonic() + 20
        while time.monotonic() < deadline_s:
            if self.pids_file.exists() and len(pids := self.pids_file.read_text().split()) == 4:
                return [int(pid) for pid in pids]
            time.sleep(0.01)
        raise AssertionError("the worker did not start its processes")

    def end(self) -> tuple[int, dict[str, int]]:
        """Wait for the end; returns the exit code and what was left behind."""
        code = self.keeper.wait(timeout=20)
        text = self._report.read()
        self._report.close()
        return code, json.loads(text) if text else {}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Any]:
    """A function that starts a worker with four processes below it."""
    made: list[Kept] = []

    def start(end: str) -> Kept:
        made.append(Kept(tmp_path, end))
        return made[-1]

    yield start
    for one in made:
        one.keeper.kill()
        one.keeper.wait()


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


@pytest.mark.parametrize(
    ("end", "code"),
    [("os._exit(0)", 0), ("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -9), ("os.abort()", -6)],
)
def test_what_a_worker_started_ends_with_it_and_is_reported(kept: Any, end: str, code: int) -> None:
    """Children, sessions and groups of their own, and a daemon; its keeper ends as it did."""
    one = kept(end)

    assert one.end() == (code, {"sleep": 3, Path(sys.executable).name: 1})
    assert not [pid for pid in one.started if lives(pid)]


def test_a_killed_supervisor_leaves_neither_worker_nor_what_it_started(tmp_path: Path) -> None:
    """The supervisor is a process of its own here, killed without a chance to do anything."""
    code = (
        "import sys; from pathlib import Path; "
        "from tests.unit.loadgen.supervise.test_keeper import Kept; "
        "import time; one = Kept(Path(sys.argv[1]), 'time.sleep(60)'); one.started; "
        "print(one.worker, one.keeper.pid, *one.started, flush=True); time.sleep(60)"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    pids = [int(word) for word in supervisor.stdout.readline().split()]
    assert len(pids) == 6
    assert all(lives(pid) for pid in pids)

    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()

    deadline_s = time.monotonic() + 20
    while any(lives(pid) for pid in pids) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert not [pid for pid in pids if lives(pid)]


def test_a_worker_without_children_reports_none_and_keeps_its_signals() -> None:
    """The keeper ignores Ctrl-C; the worker must not inherit that."""
    read, write = os.pipe()
    said = subprocess.run(
        [
            *(sys.executable, "-c", RUN_KEEPER, str(os.getpid()), str(write), "--"),
            *("/bin/sh", "-c", "grep -E 'SigIgn' /proc/$$/status; ls /proc/$$/fd | wc -l"),
        ],
        cwd=ROOT,
        pass_fds=(write,),
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    ).stdout.split()
    os.close(write)

    with os.fdopen(read, "rb") as report:
        assert report.read().split(b"\n")[1] == b"{}"
    assert int(said[1], 16) & (1 << signal.SIGINT - 1 | 1 << signal.SIGHUP - 1) == 0
    assert int(said[2]) <= 4


def test_a_keeper_that_is_killed_takes_its_worker_along(kept: Any) -> None:
    one = kept("time.sleep(60)")
    assert one.started

    one.keeper.kill()

    deadline_s = time.monotonic() + 20
    while lives(one.worker) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert not lives(one.worker)
    for pid in one.started:
        os.kill(pid, signal.SIGKILL)
