"""What to add to the times of a worker, where the workers of a level ran on several hosts.

Every time in a worker's files is CLOCK_MONOTONIC of the host on which the worker ran. The times of
a merged level are those of one clock, that of its first shard; the files are left as they are, and
whoever reads times from them adds the offset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_folder import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE = "clock_offsets.json"


def write_clock_offsets(folder: Path, offsets_ns: Mapping[int, int]) -> None:
    """Store the offsets of a level's workers; nothing where there are none.

    Args:
        folder: The level's.
        offsets_ns: Worker to what has to be added to its times; 0 may be left out.
    """
    other = {str(worker): offset for worker, offset in sorted(offsets_ns.items()) if offset}
    if other:
        write_json(folder / _FILE, other)


def read_clock_offsets(folder: Path) -> dict[int, int]:
    """Return worker to what has to be added to its times; one that is not there needs nothing.

    Raises:
        RunFolderError: The file is not what ``write_clock_offsets`` writes.
    """
    path = folder / _FILE
    if not path.exists():
        return {}
    found = read_json(path)
    try:
        if any(type(offset) is not int for offset in found.values()):
            raise ValueError(found)  # noqa: TRY301
        return {int(worker): offset for worker, offset in found.items()}
    except (AttributeError, ValueError) as error:
        raise RunFolderError(f"{path} does not hold an offset in ns for each worker") from error


def worker_of(path: Path) -> int:
    """Return the worker of a file ``worker-3.sqlite``; -1 for a name that holds no number."""
    index = path.stem.removeprefix("worker-")
    return int(index) if index.isdecimal() else -1
