"""The watchdog's arithmetic, and that it holds a real process."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.loadgen.limits.watchdog import CpuBucket, Watchdog, cpu_s_of

if TYPE_CHECKING:
    from collections.abc import Iterator

HOG = "while True: pass"
HOARDER = "import time; kept = bytearray(200_000_000); time.sleep(30)"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def _start(started: list[subprocess.Popen[bytes]], code: str) -> subprocess.Popen[bytes]:
    started.append(subprocess.Popen([sys.executable, "-c", code]))
    return started[-1]


def test_the_bucket_is_empty_exactly_while_more_was_used_than_its_share() -> None:
    bucket = CpuBucket(0.5)
    assert not bucket.is_empty(0.0, 0.0)

    assert not bucket.is_empty(0.2, 0.05)  # 0.1 s earned, 0.05 used: 0.05 saved, the most there is
    assert bucket.is_empty(0.3, 0.16)  # 0.05 saved + 0.05 earned - 0.11 used
    assert not bucket.is_empty(0.34, 0.16)


def test_a_process_that_rested_cannot_save_up_more_than_a_period() -> None:
    """After 10 s of rest a share of a half allows 0.05 s at once, not 5 s."""
    bucket = CpuBucket(0.5)
    bucket.is_empty(0.0, 0.0)
    bucket.is_empty(10.0, 0.0)

    assert bucket.is_empty(10.1, 0.11)


def test_a_process_that_wants_a_whole_core_gets_its_share_of_one(
    started: list[subprocess.Popen[bytes]],
) -> None:
    """A third of a core over 2 s; without the watchdog the same process uses what it can get."""
    process = _start(started, HOG)
    watchdog = Watchdog(None, 0.3, lambda _reason: None)
    watchdog.hold(process.pid)
    time.sleep(0.5)
    begin_s, before_s = time.monotonic(), cpu_s_of(process.pid)
    time.sleep(2.0)
    cores = (cpu_s_of(process.pid) - before_s) / (time.monotonic() - begin_s)
    watchdog.release()

    assert 0.15 < cores < 0.4


def test_a_process_above_its_memory_is_ended_with_the_figures(
    started: list[subprocess.Popen[bytes]],
) -> None:
    process = _start(started, HOARDER)
    watchdog = Watchdog(150_000_000, None, lambda _reason: process.kill())
    watchdog.hold(process.pid)
    process.wait(timeout=10)
    watchdog.release()

    reason = watchdog.reason()
    assert reason is not None
    assert reason.startswith("memory limit: ")
    assert reason.endswith(" MB resident, share of the limit 150 MB")


def test_a_process_below_its_memory_is_left_alone(
    started: list[subprocess.Popen[bytes]],
) -> None:
    process = _start(started, HOARDER)
    watchdog = Watchdog(400_000_000, None, lambda _reason: process.kill())
    watchdog.hold(process.pid)
    time.sleep(0.5)
    watchdog.release()

    assert (process.poll(), watchdog.reason()) == (None, None)
