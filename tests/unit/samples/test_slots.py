"""The slot file: stamps and steering in memory that outlives the worker."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.slots import (
    DRAIN_NS,
    ENDED,
    FAILED,
    GO_NS,
    HEADER_WORDS,
    NEVER_NS,
    SLOT_WORDS,
    SLOTS,
    STARTED,
    STATE,
    STOP_NS,
    SlotFile,
    Totals,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_file_has_no_go_no_stop_and_every_stamp_zero(tmp_path: Path) -> None:
    slots = SlotFile.create(tmp_path / "slots", 3, 5_000_000_000)

    assert slots.words[STATE] == slots.words[GO_NS] == 0
    assert slots.words[STOP_NS] == NEVER_NS
    assert slots.words[SLOTS] == slots.slots == 3
    assert slots.words[DRAIN_NS] == 5_000_000_000
    assert list(slots.words[HEADER_WORDS:]) == [0] * (3 * SLOT_WORDS)
    slots.close()


def test_two_workers_never_share_their_stamps(tmp_path: Path) -> None:
    SlotFile.create(tmp_path / "slots", 1, 0).close()

    with pytest.raises(FileExistsError):
        SlotFile.create(tmp_path / "slots", 1, 0)


def test_slots_do_not_overlap_and_totals_add_them_up(tmp_path: Path) -> None:
    slots = SlotFile.create(tmp_path / "slots", 100, 0)
    for slot in range(100):
        base = SlotFile.base(slot)
        for word, value in ((STARTED, 1000 + slot), (ENDED, 900 + slot), (FAILED, slot)):
            assert slots.words[base + word] == 0
            slots.words[base + word] = value

    totals = slots.totals()

    assert totals == Totals(100_000 + 4950, 90_000 + 4950, 4950)
    assert totals.in_flight == 10_000
    assert totals + totals == Totals(2 * 104_950, 2 * 94_950, 2 * 4950)
    assert slots.words[SLOTS] == 100
    slots.close()


def test_stamps_reach_the_supervisor_at_once_and_outlive_a_killed_worker(
    tmp_path: Path,
) -> None:
    path = tmp_path / "slots"
    slots = SlotFile.create(path, 2, 0)
    slots.words[GO_NS] = 17
    child = (
        "import os, signal, sys; from pathlib import Path\n"
        "from perf_pipeline.samples.slots import *\n"
        "slots = SlotFile(Path(sys.argv[1]))\n"
        "assert slots.words[GO_NS] == 17\n"
        "slots.words[SlotFile.base(1) + STARTED] = 5\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    ended = subprocess.run([sys.executable, "-c", child, path], check=False)

    assert ended.returncode == -signal.SIGKILL
    assert slots.words[SlotFile.base(1) + STARTED] == 5
    slots.close()
    reader = SlotFile(path, writable=False)
    assert reader.totals().started == 5
    with pytest.raises(TypeError):
        reader.words[GO_NS] = 1
    reader.close()
