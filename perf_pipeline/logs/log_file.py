"""A log file of bounded size that one process at a time appends whole lines to.

What does not fit, or cannot be written (a full disk), is dropped: a log must not cost a run. The
writer counts it (``log.py``).

Run in the target's process: standard library only.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING

from perf_pipeline.logs.ecs import MAX_LINE_BYTES

if TYPE_CHECKING:
    from pathlib import Path

SEQUENCE = "event.sequence"
MAX_FILE_BYTES = 32 * 1024 * 1024
RESERVE_BYTES = 1024 * 1024
"""Of that, for warnings and errors alone: what ends a run comes last."""
_TAIL_BYTES = 65536


class LogFile:
    """Appends to the log of one process.

    Attributes:
        next_sequence: The number of the first line: after those that the file has already.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_FILE_BYTES) -> None:
        """Open the file, made if it is missing; an earlier process's lines stay.

        Raises:
            BlockingIOError: Another process is writing it.
            OSError: It cannot be opened, or is a link.
        """
        path.parent.mkdir(exist_ok=True, mode=0o700)
        if path.parent.is_symlink():
            raise OSError(f"{path.parent} is a symbolic link, which no folder of logs is")
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._size = os.fstat(self._descriptor).st_size
            tail = self._tail()
        except BaseException:
            os.close(self._descriptor)
            raise
        self._max_bytes = max_bytes
        self._is_torn = not tail.endswith(b"\n") and bool(tail)
        self.next_sequence = _last_sequence(tail) + 1

    def has_room(self, *, may_use_reserve: bool) -> bool:
        """Return whether two lines of the largest size fit."""
        return self._size + 2 * MAX_LINE_BYTES <= self._room(may_use_reserve)

    def append(self, line: bytes, *, may_use_reserve: bool) -> bool:
        """Append a line; returns whether it is in the file."""
        content = b"\n" + line if self._is_torn else line
        if self._size + len(content) > self._room(may_use_reserve):
            return False
        try:
            written = os.write(self._descriptor, content)
        except OSError:
            return False
        self._size += written
        self._is_torn = written < len(content)
        return not self._is_torn

    def close(self) -> None:
        """Close it; the lock goes with it."""
        os.close(self._descriptor)

    def _room(self, may_use_reserve: bool) -> int:  # noqa: FBT001
        return self._max_bytes - (0 if may_use_reserve else RESERVE_BYTES)

    def _tail(self) -> bytes:
        begin = max(0, self._size - _TAIL_BYTES)
        return os.pread(self._descriptor, _TAIL_BYTES, begin)


def _last_sequence(tail: bytes) -> int:
    """Return the number of the last line that can be read; -1 if there is none."""
    for text in reversed(tail.split(b"\n")):
        try:
            return int(json.loads(text)[SEQUENCE])
        except (ValueError, KeyError, TypeError):
            continue  # a line that was cut, or somebody else's
    return -1
