"""Standard streams that cannot cost a measurement.

A closed descriptor 0, 1 or 2 is opened first of all, or the next file that is opened would get its
number and be taken for a standard stream by every process started from then on. A write that fails
(a reader that left, a full device, a terminal that was closed) loses the output and nothing else.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from _typeshed import ReadableBuffer

_ENCODING = "PYTHONIOENCODING"
_STREAMS = ("stdin", "stdout", "stderr")
_READER_LEFT = (errno.EPIPE, errno.EIO, errno.ENXIO)
"""A pipe without a reader, or a terminal that was closed."""


class LossyFile(io.FileIO):
    """A descriptor to write to; from the first write that fails on, what is written is dropped.

    Attributes:
        error: Why output was lost; None while nothing was.
    """

    def __init__(self, descriptor: int) -> None:
        """Write to a descriptor, which stays open."""
        super().__init__(descriptor, "wb", closefd=False)
        self.error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what the descriptor takes, and wait for one that is full and does not block."""
        while self.error is None:
            try:
                written = super().write(data)
                if written is not None:
                    return written
                select.select([], [self.fileno()], [])
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes

    @property
    def is_unread(self) -> bool:
        """Whether output was lost because nobody reads it any more."""
        return self.error is not None and self.error.errno in _READER_LEFT

    @property
    def reason(self) -> str:
        """Why output was lost, in words; empty while nothing was."""
        return "" if self.error is None else (self.error.strerror or str(self.error)).lower()


def open_closed_descriptors() -> None:
    """Open /dev/null in the place of each of descriptors 0, 1 and 2 that is closed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)


def replace_streams(environ: MutableMapping[str, str]) -> tuple[LossyFile, LossyFile]:
    """Make ``sys.stdout`` and ``sys.stderr`` streams that are never in the way of a command.

    Characters that their encoding lacks are written as escapes. ``PYTHONIOENCODING`` has its
    meaning here, and is taken out of the environment: a child process might fail with it.

    Returns:
        Standard output and standard error.
    """
    wanted = environ.pop(_ENCODING, "").partition(":")[0]
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    files = LossyFile(1), LossyFile(2)
    for name, file in zip(_STREAMS[1:], files, strict=True):
        before = getattr(sys, name)
        if before is not None:
            before.flush()
        encoding = _known(wanted) or (before.encoding if before is not None else "utf-8")
        stream = io.TextIOWrapper(
            io.BufferedWriter(file),
            encoding=encoding,
            errors="backslashreplace",
            line_buffering=name == "stderr" or file.isatty(),
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    return files


def _known(encoding: str) -> str:
    """Return the name of an encoding of text, or nothing for another text."""
    try:
        "".encode(encoding or "?")
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return ""
