"""The planted neighbour uses the share of a core that was asked for, and ends with its block."""

from __future__ import annotations

import time

import psutil
import pytest

from perf_pipeline.selftest.loads.neighbour import Neighbour


def _cpu_s(pid: int) -> float:
    return sum(psutil.Process(pid).cpu_times()[:2])


def test_a_neighbour_uses_about_its_share_of_a_core_and_ends_with_its_block() -> None:
    """Half of a core for a second; on a busy machine it may get less, and never much more."""
    with Neighbour() as neighbour:
        neighbour.use(0.5)
        begun_s, before_s = time.monotonic(), _cpu_s(neighbour.pid)
        time.sleep(1.0)
        used_s, elapsed_s = _cpu_s(neighbour.pid) - before_s, time.monotonic() - begun_s
    assert 0.05 < used_s < 0.5 * elapsed_s + 0.15
    with pytest.raises(psutil.NoSuchProcess):
        psutil.Process(neighbour.pid)
