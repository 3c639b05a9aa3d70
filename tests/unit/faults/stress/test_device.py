"""The device of a file system."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perf_pipeline.faults.stress.device import busy_s, device_name

if TYPE_CHECKING:
    from pathlib import Path


def test_a_device_has_a_name_and_the_time_in_which_it_was_busy(tmp_path: Path) -> None:
    """Numbers as the kernel's documentation of the file has them."""
    block = tmp_path / "devices/vda"
    block.mkdir(parents=True)
    (block / "stat").write_text("1 2 3 4 5 6 7 8 0 1500 11 12 13 14 15 16 17\n")
    (tmp_path / "dev/block").mkdir(parents=True)
    (tmp_path / "dev/block/254:0").symlink_to(block)
    number = os.makedev(254, 0)
    assert device_name(number, tmp_path) == "vda"
    assert busy_s(number, tmp_path) == 1.5


def test_a_file_system_in_memory_has_no_device(tmp_path: Path) -> None:
    assert device_name(os.makedev(0, 23), tmp_path) == ""
