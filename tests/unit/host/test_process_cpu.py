"""CPU time of a process, and how long its threads waited for a core."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from perf_pipeline.host.process_cpu import core_wait_s, process_cpu_s

if TYPE_CHECKING:
    from pathlib import Path


def test_cpu_time_grows_by_what_is_computed() -> None:
    """By what the process's own clock says, which is read right before and right after it."""
    earlier_s = time.process_time()
    before_s = process_cpu_s(os.getpid())
    begun_s = time.process_time()
    sum(range(200_000))
    ended_s = time.process_time()
    after_s = process_cpu_s(os.getpid())
    later_s = time.process_time()
    assert 0 < ended_s - begun_s <= after_s - before_s <= later_s - earlier_s


def test_waits_of_all_threads_add_up_and_one_that_has_ended_is_left_out(tmp_path: Path) -> None:
    for thread, wait_ns in (("7", 1_500_000_000), ("8", 500_000_000)):
        (tmp_path / "7" / "task" / thread).mkdir(parents=True)
        (tmp_path / "7" / "task" / thread / "schedstat").write_text(f"123 {wait_ns} 4\n")
    (tmp_path / "7" / "task" / "9").mkdir()
    assert core_wait_s(7, tmp_path) == 2.0
    assert core_wait_s(os.getpid()) >= 0.0
