"""Processes that are killed and not gone yet."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.process_faults import is_ending
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path


def test_a_killed_process_is_ending_until_its_parent_takes_note_and_afterwards() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        assert not is_ending(process.pid)
        process.kill()
        assert until(lambda: is_ending(process.pid), 5.0)
    assert is_ending(process.pid)


@pytest.mark.parametrize(("flags", "is_so"), [(0x400100, False), (0x400104, True)])
def test_a_process_that_the_kernel_takes_apart_executes_nothing_more(
    flags: int,
    is_so: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    """As of a MariaDB, which took 0.29 s for its memory; its name has a parenthesis and spaces."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7/stat").write_text(f"7 (a) b) R 1 7 7 0 -1 {flags} 0 0 0\n")
    assert is_ending(7, tmp_path) == is_so
    assert not is_ending(os.getpid())
