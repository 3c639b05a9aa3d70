"""The watchdog holds real processes to their share."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.loadgen.limits.watchdog import Watchdog, cpu_s_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

HOG = "while True: pass"
HOARDER = "import time; kept = bytearray(200_000_000); time.sleep(30)"


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
        self.process.kill()


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def _start(started: list[subprocess.Popen[bytes]], code: str) -> Hosted:
    started.append(subprocess.Popen([sys.executable, "-c", code]))
    return Hosted(started[-1])


def _state(pid: int) -> str:
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return text.rpartition(")")[2].split()[0]


@pytest.mark.alone
def test_a_process_that_wants_a_whole_core_gets_its_share_of_one(
    started: list[subprocess.Popen[bytes]],
) -> None:
    """A third of a core over 2 s; without the watchdog the same process uses what it can get."""
    worker = _start(started, HOG)
    watchdog = Watchdog(None, 0.3)
    watchdog.watch(worker)
    time.sleep(0.5)
    begin_s, before_s = time.monotonic(), cpu_s_of(worker.pid)
    time.sleep(2.0)
    cores = (cpu_s_of(worker.pid) - before_s) / (time.monotonic() - begin_s)
    watchdog.release()

    assert 0.15 < cores < 0.4
    assert watchdog.mechanism == "watchdog (CPU by stopping the process)"


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
    assert 150 < int(found[1]) <= 215


def test_a_process_below_its_memory_is_left_alone(
    started: list[subprocess.Popen[bytes]],
) -> None:
    worker = _start(started, HOARDER)
    watchdog = Watchdog(400_000_000, None)
    watchdog.watch(worker)
    time.sleep(0.5)
    watchdog.release()

    assert (worker.process.poll(), worker.ended_because) == (None, None)
