"""Memory, cores and disks of this machine, used up by programs that end with the failure."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.host_floor import available_memory, memory_floor_bytes
from perf_pipeline.faults.kinds import io_saturation, memory_pressure, resource_exhaustion
from perf_pipeline.faults.stress.device import device_name
from tests.integration.faults.played import injected, place_on

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

_TAKEN_MB = 700


def test_memory_is_taken_until_as_much_is_available_as_was_asked(tmp_path: Path) -> None:
    """700 MB of this machine's, for as long as five signs take: nothing is taken in advance."""
    available, total = available_memory()
    target_mb = available / 1e6 - _TAKEN_MB
    if target_mb * 1e6 < 1.2 * memory_floor_bytes(total):
        pytest.skip("this machine has less than 700 MB of memory above the floor")
    with injected(memory_pressure.make(place_on(tmp_path / "fault"), {"free_mb": target_mb})):
        assert available_memory()[0] / 1e6 < target_mb + 200


def test_memory_is_not_taken_where_little_is_available(tmp_path: Path) -> None:
    """More is to stay available than there is."""
    asked = {"free_mb": available_memory()[0] / 1e6 + 1000}
    with pytest.raises(FaultRefusedError, match="there is nothing to take"):
        memory_pressure.make(place_on(tmp_path / "fault"), asked).preflight()


def test_half_a_core_is_used_and_something_is_written(tmp_path: Path) -> None:
    """The folder is pytest's: on a file system in memory nothing would count as written."""
    settings = {"cores": 0.5}
    if device_name(tmp_path.stat().st_dev):
        settings["write_mb_per_s"] = 0.2
    place = place_on(tmp_path / "fault")
    with injected(resource_exhaustion.make(place, settings)) as fault:
        assert "cores" in fault.sign().text
    assert os.listdir(tmp_path / "fault") == []  # noqa: PTH208 - names alone


@pytest.mark.alone
def test_the_device_of_the_data_is_busy_with_writes(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    """Four writers of 32 MB, for as long as five signs take; they need cores as well."""
    place = place_on(tmp_path / "fault", servers["postgres"])
    settings = {"writers": 4, "file_mb": 32.0}
    fault = io_saturation.make(place, settings)
    if not device_name(tmp_path.stat().st_dev):
        with pytest.raises(FaultRefusedError, match="no device of its own"):
            fault.preflight()
        return
    with injected(fault):
        time.sleep(0.5)


def test_a_server_that_writes_nothing_is_refused_with_the_reason(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    with pytest.raises(FaultRefusedError, match="it keeps its data in memory"):
        io_saturation.make(place_on(tmp_path / "fault", servers["redis"]), {})
