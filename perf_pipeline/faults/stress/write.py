"""Writes to a file without a name, and has each piece on the disk before the next, until killed.

Its space is free again when this process has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import tempfile
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

_GREATEST_BYTES = 8 << 20
_BLOCK_BYTES = 4096
_PIECES_PER_S = 10


def main(arguments: list[str], orders: TextIO) -> None:
    """Write, again and again over the same file.

    Args:
        arguments: The folder; the size of the file, bytes; the rate, bytes a second, 0 for as
            fast as the disk takes it.
        orders: It begins with the line that comes.
    """
    folder, file_bytes, rate_bytes_per_s = arguments[0], float(arguments[1]), float(arguments[2])
    with nameless_writer(folder, file_bytes, _piece_bytes(file_bytes, rate_bytes_per_s)) as write:
        if not orders.readline():
            return
        begin_s, written_bytes = time.monotonic(), 0
        while True:
            written_bytes += write()
            if rate_bytes_per_s:
                ahead_s = written_bytes / rate_bytes_per_s - (time.monotonic() - begin_s)
                time.sleep(max(0.0, ahead_s))


@contextlib.contextmanager
def nameless_writer(
    folder: str | os.PathLike[str], file_bytes: float, piece_bytes: int
) -> Iterator[Callable[[], int]]:
    """Yield what writes the next piece of a file, and returns its length once the disk has it.

    Args:
        folder: Where the file is, without a name.
        file_bytes: From here on it is written over from its begin.
        piece_bytes: Whole blocks of 4096 bytes.
    """
    piece = mmap.mmap(-1, piece_bytes)  # at the begin of a page, as direct writes need it
    piece.write(os.urandom(piece_bytes))  # what a file system could not make smaller
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        descriptor, position = file.fileno(), 0
        _past_the_cache(descriptor)

        def write() -> int:
            nonlocal position
            written_bytes = os.pwrite(descriptor, piece, position)
            os.fdatasync(descriptor)
            position = position + piece_bytes if position + 2 * piece_bytes <= file_bytes else 0
            return written_bytes

        yield write


def _piece_bytes(file_bytes: float, rate_bytes_per_s: float) -> int:
    """Return the length of one write: whole blocks, as direct writes need it.

    Great ones keep a disk busy while their writer waits for a core.
    """
    wanted = rate_bytes_per_s / _PIECES_PER_S if rate_bytes_per_s else file_bytes
    blocks = int(min(wanted, file_bytes, _GREATEST_BYTES) // _BLOCK_BYTES)
    return max(1, blocks) * _BLOCK_BYTES


def _past_the_cache(descriptor: int) -> None:
    """Have writes go to the device itself, where the file system can do that."""
    with contextlib.suppress(OSError):
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_DIRECT)
