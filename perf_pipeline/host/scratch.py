"""A temporary folder for the files that workflows read.

It is not in the run's folder: kailash's CSVReaderNode reads nothing below the system's folders or
/root with any settings, and a project may be there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.held_folder import hold, may_be_cleared
from perf_pipeline.lifeline import own_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "perf_pipeline-files-"
HOLDER_FILE = ".run.json"
"""File in the folder that says whose it is, and that is locked as long as the run lives."""
_RUN = "run"
REFUSED = ("/etc", "/var", "/usr", "/root", "/boot", "/sys", "/proc")
PLACES = (Path("/tmp"), Path("/dev/shm"))  # noqa: S108 - a folder of a random name is made there


@contextmanager
def scratch_folder(temp_dir: Path, run_id: str) -> Iterator[Path]:
    """Make a folder that any target may read from, and remove it after the block.

    Args:
        temp_dir: Where temporary files belong; if a target would not read there, another place.
        run_id: Becomes part of its name.

    Raises:
        OSError: No place can be written to.
    """
    usable = [p for p in (temp_dir.resolve(), *PLACES) if not str(p).startswith(REFUSED)]
    writable = next((p for p in usable if os.access(p, os.W_OK)), usable[0])
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{run_id}-", dir=writable))
    held = hold(folder, HOLDER_FILE, {_RUN: list(own_stamp())})
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def remove_abandoned_scratch(temp_dir: Path) -> list[Path]:
    """Remove the folders of this user's killed runs in any of the places; return them.

    Args:
        temp_dir: Where temporary files belong.
    """
    removed = []
    for place in dict.fromkeys((temp_dir.resolve(), *PLACES)):
        for folder in sorted(place.glob(f"{PREFIX}*")):
            if may_be_cleared(folder, HOLDER_FILE, _RUN):
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder)
    return removed
