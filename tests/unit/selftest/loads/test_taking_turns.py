"""Two loads in turns: one of them runs at a time, and its own work alone is counted."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from perf_pipeline.selftest.loads.taking_turns import EnoughError, TakingTurns

if TYPE_CHECKING:
    from collections.abc import Iterator

TURN_S = 0.1


@pytest.fixture
def busy() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two processes that compute."""
    processes = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) for _ in range(2)]
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def test_one_side_runs_at_a_time_and_its_turns_have_its_own_work(
    busy: list[subprocess.Popen[bytes]],
) -> None:
    """Three pairs of turns of 0.1 s; while the bare loop has its turn, the level stands still."""
    ours, bare = busy
    bare.send_signal(signal.SIGSTOP)
    states: list[tuple[str, str]] = []
    counts = {"ours": 0, "bare": 0}

    def count(side: str) -> int:
        counts[side] += 7
        return counts[side]

    def sleep(seconds: float) -> None:
        time.sleep(seconds / 2)
        states.append((psutil.Process(ours.pid).status(), psutil.Process(bare.pid).status()))
        time.sleep(seconds / 2)

    begun: list[int] = []
    turns = TakingTurns(
        [bare.pid],
        lambda: begun.append(1),
        count_ours=lambda: count("ours"),
        count_bare=lambda: count("bare"),
        supervisor_cpu_s=lambda: 0.0,
        clock_ns=time.monotonic_ns,
        sleep=sleep,
        turn_s=TURN_S,
        pairs=3,
    )

    def look_until_over() -> None:
        while True:
            turns.look([ours.pid])
            time.sleep(0.01)

    with pytest.raises(EnoughError):
        look_until_over()

    assert begun == [1]
    assert [ours_state for ours_state, _ in states] == [psutil.STATUS_STOPPED] * 3
    assert psutil.STATUS_STOPPED not in {bare_state for _, bare_state in states}
    time.sleep(0.05)
    assert psutil.Process(bare.pid).status() == psutil.STATUS_STOPPED
    assert psutil.Process(ours.pid).status() != psutil.STATUS_STOPPED
    for turn in (*turns.ours, *turns.bare):
        assert turn.length_s >= TURN_S
        assert 0 < turn.cpu_s <= turn.length_s + 0.02
        assert turn.nodes == 7
    assert (len(turns.ours), len(turns.bare)) == (3, 3)
