"""Takes all space of a file system, and what becomes free, in a file without a name."""

from __future__ import annotations

import errno
import os
import threading

_GREATEST_BYTES, _LEAST_BYTES = 64 << 20, 4096
_LOOK_S = 0.05
_END_S = 5.0
FULL = (errno.ENOSPC, errno.EDQUOT)


class Filler:
    """A file that grows into all space that there is; the space is free when it is closed.

    It has no name, so it also ends with this process.
    """

    def __init__(self, folder: int) -> None:
        """Prepare; nothing is taken.

        Args:
            folder: Descriptor of a folder on the file system.
        """
        self._folder = folder
        self._file = -1
        self._length_bytes = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep_full, daemon=True)

    def start(self) -> None:
        """Take all space, and begin to take what becomes free."""
        self._file = nameless_file(self._folder)
        self._fill()
        self._thread.start()

    def stop(self) -> None:
        """Give the space back."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(_END_S)
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _keep_full(self) -> None:
        while not self._end.wait(_LOOK_S):
            self._fill()

    def _fill(self) -> None:
        step_bytes = _GREATEST_BYTES
        while step_bytes >= _LEAST_BYTES:
            if takes(self._file, self._length_bytes, step_bytes):
                self._length_bytes += step_bytes
            else:
                step_bytes //= 2


def nameless_file(folder: int) -> int:
    """Return the descriptor of a new file that is in no folder."""
    return os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=folder)


def takes(file: int, offset_bytes: int, count_bytes: int) -> bool:
    """Give a file space, and return whether there was so much.

    Raises:
        OSError: It failed otherwise than for want of space.
    """
    try:
        os.posix_fallocate(file, offset_bytes, count_bytes)
    except OSError as error:
        if error.errno in FULL:
            return False
        raise
    return True
