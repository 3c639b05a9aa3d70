"""Memory, cores and disks of this machine, used up by programs that end with the failure.

Those of which the kernel's count depends on what other programs do run ``alone``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.faults.fault import FaultRefusedError, NotPossibleHereError
from perf_pipeline.faults.host_floor import available_memory, memory_floor_bytes
from perf_pipeline.faults.kinds import io_saturation, memory_pressure, resource_exhaustion
from perf_pipeline.faults.stress.written_device import written_device
from tests.integration.faults.played import injected, place_on

if TYPE_CHECKING:
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

_TAKEN_MB = 1500
_OVERLAY = """
set -e
mkdir -p "$1/lower" "$1/upper" "$1/work" "$1/merged"
mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1/merged"
exec "$2" -P -c "$3" "$1/merged"
"""
_FIND = """
import sys
from pathlib import Path
from perf_pipeline.faults.stress.written_device import written_device
print(written_device(Path(sys.argv[1])).name)
"""


@pytest.mark.alone
def test_memory_is_taken_until_as_much_is_available_as_was_asked(tmp_path: Path) -> None:
    """1500 MB of this machine's, for as long as five signs take: nothing is taken in advance."""
    available, total = available_memory()
    target_mb = available / 1e6 - _TAKEN_MB
    if target_mb * 1e6 < 1.2 * memory_floor_bytes(total):
        pytest.skip("this machine has less than 1500 MB of memory above the floor")
    with injected(memory_pressure.make(place_on(tmp_path / "fault"), {"free_mb": target_mb})):
        assert available_memory()[0] / 1e6 < target_mb + 200


def test_memory_is_not_taken_where_there_is_less_of_it(tmp_path: Path) -> None:
    """More is to stay available than this machine has, whatever other programs use."""
    asked = {"free_mb": available_memory()[1] / 1e6 + 1000}
    with pytest.raises(NotPossibleHereError, match="there is nothing to take"):
        memory_pressure.make(place_on(tmp_path / "fault"), asked).preflight()


def test_half_a_core_is_used_or_waited_for(tmp_path: Path) -> None:
    """Whatever others use: a program that waits for a core competes for it as well."""
    with injected(resource_exhaustion.make(place_on(tmp_path / "fault"), {"cores": 0.5})) as fault:
        assert "cores" in fault.sign().text
    assert os.listdir(tmp_path / "fault") == []  # noqa: PTH208 - names alone


@pytest.mark.alone
def test_the_device_of_the_data_is_busy_with_writes(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    """Four writers of 32 MB, for as long as five signs take; they need cores as well.

    Less is written at the rate of another failure, which leaves nothing behind.
    """
    place = place_on(tmp_path / "fault", servers["postgres"])
    fault = io_saturation.make(place, {"writers": 4, "file_mb": 32.0})
    try:
        device = written_device(tmp_path)
    except NotPossibleHereError:
        with pytest.raises(NotPossibleHereError, match="block device"):
            fault.preflight()
        return
    with injected(fault):
        time.sleep(0.5)
        assert fault.sign().text.startswith(f"{device.name} is busy")
    writing = {"cores": 0.1, "write_mb_per_s": 0.2}
    with injected(resource_exhaustion.make(place, writing)) as slow:
        assert "they write" in slow.sign().text
    assert os.listdir(place.folder) == []  # noqa: PTH208 - names alone


@pytest.mark.alone
def test_the_device_below_a_file_system_that_lies_over_others_is_found_by_writing(
    tmp_path: Path,
) -> None:
    """An overlay as in containers: its number is of no device, and its writes reach the disk's."""
    try:
        below = written_device(tmp_path)
    except NotPossibleHereError:
        pytest.skip("the temporary folder is on no device that is seen")
    words = [str(tmp_path), sys.executable, _FIND]
    found = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _OVERLAY, "sh", *words],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT.resolve())},
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in found.stderr or "unshare" in found.stderr:
        pytest.skip(f"no overlay can be mounted here: {found.stderr}")
    assert found.stdout.strip() == below.name, found.stderr


def test_a_file_system_in_memory_reaches_no_device_and_that_is_no_fault_of_its_user() -> None:
    shared = Path("/dev/shm")  # noqa: S108 - a file without a name is made in it
    if not os.access(shared, os.W_OK):
        pytest.skip("no file system in memory here")
    with pytest.raises(NotPossibleHereError, match="block device"):
        written_device(shared)


def test_a_server_that_writes_nothing_is_refused_with_the_reason(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    with pytest.raises(FaultRefusedError, match="it keeps its data in memory"):
        io_saturation.make(place_on(tmp_path / "fault", servers["redis"]), {})
