"""What failures must leave of the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf_pipeline.faults.host_floor import (
    DISK_FLOOR_BYTES,
    HostFloor,
    available_memory,
    memory_floor_bytes,
)

GIB = 2**30


@pytest.mark.parametrize(("total_bytes", "floor_bytes"), [(2 * GIB, GIB), (100 * GIB, 15 * GIB)])
def test_the_floor_is_a_gibibyte_or_fifteen_percent(total_bytes: int, floor_bytes: int) -> None:
    assert memory_floor_bytes(total_bytes) == floor_bytes


def test_memory_below_the_floor_is_a_breach_with_both_figures() -> None:
    left = [GIB]
    floor = HostFloor([], memory=lambda: (left[0], 4 * GIB))
    assert floor.breach() == ""
    left[0] -= 1
    assert floor.breach() == "1074 MB of memory were available (floor 1074 MB)"


def test_a_disk_below_its_floor_is_named() -> None:
    full = Path("/full")
    free = {Path("/empty"): 10 * GIB, full: DISK_FLOOR_BYTES}
    floor = HostFloor(free, memory=lambda: (8 * GIB, 8 * GIB), disk_free_bytes=free.__getitem__)
    assert floor.breach() == ""
    free[full] -= 1
    assert "the disk of /full (floor 2147 MB)" in floor.breach()


def test_this_host_has_more_memory_than_is_available() -> None:
    available_bytes, total_bytes = available_memory()
    assert 0 < available_bytes <= total_bytes
