"""A temporary folder for the files that workflows read.

It is not in the run's folder: kailash's CSVReaderNode reads nothing below the system's folders or
/root with any settings, and a project may be there.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "perf_pipeline-files-"
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
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_scratch(temp_dir: Path, run_id: str) -> list[Path]:
    """Remove the folders of a killed run in any of the places; return them.

    Args:
        temp_dir: Where temporary files belong.
        run_id: The run; it is dead.
    """
    removed = []
    # What mkdtemp adds has no dash: the run 1-2 is not one of the run 1.
    of_run = re.compile(re.escape(f"{PREFIX}{run_id}-") + r"[a-z0-9_]+")
    for place in dict.fromkeys((temp_dir.resolve(), *PLACES)):
        for folder in sorted(place.glob(f"{PREFIX}*")):
            if not of_run.fullmatch(folder.name):
                continue
            # In a folder that all may write to, another user could have made one of that name.
            if folder.lstat().st_uid == os.getuid() and not folder.is_symlink():
                shutil.rmtree(folder)
                removed.append(folder)
    return removed
