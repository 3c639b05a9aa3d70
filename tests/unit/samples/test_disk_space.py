"""What a full disk is said to be."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from perf_pipeline.samples.disk_space import RUN_BYTES, disk_full

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_that_could_not_begin_is_told_how_much_a_run_needs(tmp_path: Path) -> None:
    """3.1 MB were free, and "a load level needs 2 MB": a run sets 8 MB apart before its first."""
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert "and a run needs at least 10 MB" in disk_full(tmp_path, error, RUN_BYTES)
    assert "and a load level needs 2 MB" in disk_full(tmp_path)
