"""Block devices as sysfs shows them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perf_pipeline.faults.stress.device import device_with, every_device

if TYPE_CHECKING:
    from pathlib import Path


def sysfs(folder: Path) -> Path:
    """Return a sysfs with one device, and one that counts nothing."""
    block = folder / "devices/vda"
    block.mkdir(parents=True)
    (block / "stat").write_text("1 2 3 4 5 6 7 8 0 1500 11 12 13 14 15 16 17\n")
    for name in ("dev/block", "class/block/odd"):
        (folder / name).mkdir(parents=True)
    for name in ("dev/block/254:0", "class/block/vda"):
        (folder / name).symlink_to(block)
    return folder


def test_a_device_has_a_name_what_was_written_and_the_time_in_which_it_was_busy(
    tmp_path: Path,
) -> None:
    """Numbers as the kernel's documentation of the file has them: 7 sectors of 512 bytes."""
    device = device_with(os.makedev(254, 0), sysfs(tmp_path))
    assert device is not None
    assert device.name == "vda"
    assert device.use() == (3584, 1.5)


def test_a_file_system_in_memory_has_no_device(tmp_path: Path) -> None:
    assert device_with(os.makedev(0, 23), tmp_path) is None


def test_devices_that_count_are_listed_and_a_kernel_without_any_has_none(tmp_path: Path) -> None:
    assert [device.name for device in every_device(sysfs(tmp_path))] == ["vda"]
    assert every_device(tmp_path / "nowhere") == []
