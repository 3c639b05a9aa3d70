"""The watchdog holds real processes to their share."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.loadgen.limits.limited_processes import LimitedProcesses
from perf_pipeline.loadgen.limits.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

HOG = "while True: pass"
HOARDER = "import time; kept = bytearray(200_000_000); time.sleep(30)"

_CALL = "subprocess.run([sys.executable, '-c', {!r}])"
STARTS_A_HOG = f"import subprocess, sys\n{_CALL.format(HOG)}"
SHORT_HOG = "import time\nwhile time.process_time() < 0.05: pass"
STARTS_SHORT_HOGS = f"import subprocess, sys\nwhile True: {_CALL.format(SHORT_HOG)}"
FORKS = """
import os, time
kept = bytearray(200_000_000)
for at in range(0, len(kept), 4096):
    kept[at] = 1
for _ in range(3):
    if os.fork() == 0:
        break
time.sleep(30)
"""


@dataclass
class Hosted:
    """A process as a worker's supervisor has it."""

    process: subprocess.Popen[bytes]
    ready: bool = True
    ended_because: str | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    def end_at_once(self, because: str) -> None:
        self.ended_because = self.ended_because or because
        kill_all(self.process)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        kill_all(process)
        process.wait()


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with what it has started, as a keeper does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _start(started: list[subprocess.Popen[bytes]], code: str) -> Hosted:
    started.append(subprocess.Popen([sys.executable, "-c", code], start_new_session=True))
    return Hosted(started[-1])


def _state(pid: int) -> str:
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return text.rpartition(")")[2].split()[0]


CORES = {HOG: (0.15, 0.4), STARTS_A_HOG: (0.03, 0.45), STARTS_SHORT_HOGS: (0.03, 0.45)}
"""What processes that are held to 0.3 of a core may be seen to use of it in some seconds."""


@pytest.mark.alone
def test_processes_get_their_share_of_a_core_with_what_they_start(
    started: list[subprocess.Popen[bytes]],
) -> None:
    """Each a third of a core over 3 s; without the watchdog they use what they can get.

    One computes; two only wait, for one that computes, or for one of 50 ms after the other.
    """
    workers = [_start(started, code) for code in CORES]
    watchdogs = [Watchdog(None, 0.3) for _ in workers]
    for watchdog, worker in zip(watchdogs, workers, strict=True):
        watchdog.watch(worker)
    time.sleep(1.0)
    cores = _cores_over(3.0, [worker.pid for worker in workers])
    for watchdog in watchdogs:
        watchdog.release()

    for (low, high), used in zip(CORES.values(), cores, strict=True):
        assert low < used < high, cores
    assert watchdogs[0].mechanism == "watchdog (CPU by stopping the process)"


def _cores_over(seconds: float, pids: list[int]) -> list[float]:
    """Return the cores that processes, each with what it has started, use for some seconds."""
    every = [LimitedProcesses(pid, os.getpid()) for pid in pids]
    for one in every:
        one.find()
    begun = [(time.monotonic(), one.cpu_s()) for one in every]
    time.sleep(seconds)
    cores = []
    for one, (begin_s, before_s) in zip(every, begun, strict=True):
        one.find()
        cores.append((one.cpu_s() - before_s) / (time.monotonic() - begin_s))
        one.close()
    return cores


def test_a_process_that_is_let_go_runs_on(started: list[subprocess.Popen[bytes]]) -> None:
    """It is stopped nearly all the time: a hundredth of a core for one that wants a whole."""
    worker = _start(started, HOG)
    watchdog = Watchdog(None, 0.01)
    watchdog.watch(worker)
    until_s = time.monotonic() + 5
    while _state(worker.pid) != "T":
        assert time.monotonic() < until_s
        time.sleep(0.002)
    watchdog.release()

    assert _state(worker.pid) in "RS"


def test_a_process_is_not_stopped_before_it_is_bound_to_its_supervisor(
    started: list[subprocess.Popen[bytes]],
) -> None:
    """One that is stopped earlier would outlive a supervisor that is killed, stopped for ever."""
    worker = _start(started, HOG)
    worker.ready = False
    watchdog = Watchdog(None, 0.01)
    watchdog.watch(worker)
    states = set()
    for _ in range(100):
        states.add(_state(worker.pid))
        time.sleep(0.005)
    watchdog.release()

    assert "T" not in states


def test_a_process_above_its_memory_is_ended_with_the_figures(
    started: list[subprocess.Popen[bytes]],
) -> None:
    worker = _start(started, HOARDER)
    watchdog = Watchdog(150_000_000, None)
    watchdog.watch(worker)
    worker.process.wait(timeout=10)
    watchdog.release()

    found = re.fullmatch(
        r"memory limit: (\d+) MB resident, share of the limit 150 MB", worker.ended_because or ""
    )
    assert found is not None
    assert 150 <= int(found[1]) <= 215


def test_the_memory_of_what_a_process_starts_counts_and_its_parent_is_ended(
    started: list[subprocess.Popen[bytes]],
) -> None:
    """200 MB of a child, 10 MB of its parent."""
    worker = _start(started, f"import subprocess, sys\n{_CALL.format(HOARDER)}")
    watchdog = Watchdog(150_000_000, None)
    watchdog.watch(worker)
    worker.process.wait(timeout=10)
    watchdog.release()

    found = re.fullmatch(
        r"memory limit: (\d+) MB resident with the process that it started, share of the limit "
        "150 MB",
        worker.ended_because or "",
    )
    assert found is not None
    assert 150 <= int(found[1]) <= 230


def test_what_forked_processes_share_counts_once(
    started: list[subprocess.Popen[bytes]],
) -> None:
    """Four of 200 MB each, which are the same: 800 MB resident, and below a limit of 400 MB."""
    worker = _start(started, FORKS)
    watchdog = Watchdog(400_000_000, None)
    watchdog.watch(worker)
    processes = LimitedProcesses(worker.pid, os.getpid())
    until_s = time.monotonic() + 10
    while processes.children < 3 or processes.memory_bytes(10**10) < 700_000_000:
        assert time.monotonic() < until_s
        time.sleep(0.02)
        processes.find()
    shared_bytes = processes.memory_bytes(400_000_000)
    time.sleep(0.2)
    watchdog.release()
    processes.close()

    assert 200_000_000 <= shared_bytes < 280_000_000
    assert (worker.process.poll(), worker.ended_because) == (None, None)


def test_a_process_below_its_memory_is_left_alone(
    started: list[subprocess.Popen[bytes]],
) -> None:
    worker = _start(started, HOARDER)
    watchdog = Watchdog(400_000_000, None)
    watchdog.watch(worker)
    time.sleep(0.5)
    watchdog.release()

    assert (worker.process.poll(), worker.ended_because) == (None, None)
