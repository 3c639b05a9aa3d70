"""Killing a worker at any moment loses no acknowledged record, and what it lost is counted."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import Outcome
from perf_pipeline.samples.slots import SlotFile
from tests.simulated_level import write_level

SLOTS = 16


def _kill_after(folder: Path, mode: str, seconds: float) -> None:
    SlotFile.create(folder / "worker-0.slots", SLOTS, 0).close()
    (folder / "worker-0.kinds").write_bytes(bytes(8))
    writer = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("killed_writer.py"), folder, str(SLOTS), mode],
        stdout=subprocess.PIPE,
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"playing\n"
        time.sleep(seconds)
    finally:
        writer.kill()
        writer.communicate()


@pytest.mark.parametrize(
    ("mode", "seed"), [("threads", n) for n in range(10)] + [("asyncio", n) for n in range(4)]
)
def test_a_killed_worker_loses_no_acknowledged_record(tmp_path: Path, mode: str, seed: int) -> None:
    """16 threads or tasks at about 10,000/s, blocks of 20 ms, SIGKILL after 0.02 to 0.4 s."""
    write_level(tmp_path, [], slots=SLOTS, ended_because="worker lost")
    _kill_after(tmp_path, mode, random.Random(seed).uniform(0.02, 0.4))
    executed = np.fromfile(tmp_path / "executed", dtype="<i8")
    acknowledged = np.fromfile(tmp_path / "acknowledged", dtype="<i8")

    records = read_level(tmp_path, kinds=1)

    numbers = records.frame["number"].to_numpy()
    stamps = SlotFile(tmp_path / "worker-0.slots", writable=False)
    started = stamps.totals().started
    stamps.close()
    assert len(executed) > SLOTS
    assert set(acknowledged) <= set(records.frame.filter(outcome=Outcome.OK)["number"])
    assert len(set(numbers)) == len(numbers)
    assert len(numbers) + records.may_be_missing == started
    # A workflow is stamped as started just before the target has it.
    assert len(executed) <= started <= len(executed) + SLOTS
    assert set(records.frame.filter(outcome=Outcome.OK)["number"]) <= set(executed)
    assert (records.frame["outcome"] != int(Outcome.OK)).sum() <= SLOTS
    assert records.may_be_missing <= len(executed) - len(acknowledged)
