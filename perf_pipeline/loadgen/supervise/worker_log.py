"""The log of a worker process: what it and the target print, without passwords and bounded in size.

A thread of the supervisor copies it from a pipe, so that no password that the target prints is ever
in a file. The pipe is large, and what exceeds the bound is read and dropped, so that a target that
prints is not held up by it. The worker dies with its supervisor, so the pipe always has a reader.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import threading
from typing import TYPE_CHECKING

from perf_pipeline.redaction.redact import redacted

if TYPE_CHECKING:
    from pathlib import Path

HEAD_BYTES = 8_000_000
TAIL_BYTES = 200_000
"""A longer log keeps its beginning and its end, where the reason of a failure is."""

_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 18
_LINE_BYTES = 1 << 16
"""A longer line is copied in pieces, cut at a blank: a password is never cut in two by that."""


class WorkerLog:
    """Copies what a process writes into a pipe to a file.

    Attributes:
        path: The file.
        write_end: For the process; ``started`` closes it here.
        printed_bytes: What the process wrote, once it has ended.
        dropped_bytes: What the file lacks of it.
    """

    def __init__(self, path: Path) -> None:
        """Make the file and begin to copy."""
        self.path = path
        self.printed_bytes = 0
        self.dropped_bytes = 0
        self._read_end, self.write_end = os.pipe2(os.O_CLOEXEC)
        fcntl.fcntl(self._read_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        os.set_blocking(self._read_end, False)
        self._ended = os.eventfd(0, os.EFD_CLOEXEC)
        self._written = 0
        self._unfinished = b""
        self._tail = b""
        self._file = path.open("wb", buffering=0)
        self._copier = threading.Thread(target=self._copy, name="worker-log", daemon=True)
        self._copier.start()
        self._is_closed = False

    def started(self) -> None:
        """Close our copy of the write end: the process has its own."""
        os.close(self.write_end)

    def close(self) -> None:
        """Copy what is left in the pipe and end; the process has ended, its children perhaps not.

        A second call does nothing.
        """
        if self._is_closed:
            return
        self._is_closed = True
        os.eventfd_write(self._ended, 1)
        self._copier.join()
        self._file.close()
        os.close(self._read_end)
        os.close(self._ended)

    def _copy(self) -> None:
        while True:
            ready, _, _ = select.select([self._read_end, self._ended], [], [])
            if self._read_end in ready and not self._read():
                break
            if self._ended in ready:
                while self._read():
                    pass
                break
        self._store(self._unfinished)
        if self.dropped_bytes:
            tail = self._tail
            if self.dropped_bytes > len(tail):  # a password at the cut would not be recognised
                tail = b"".join(re.split(rb"\s", tail, maxsplit=1)[1:])
            tail = redacted(tail.decode(errors="replace")).encode()[-TAIL_BYTES:]
            self.dropped_bytes = max(0, self.dropped_bytes - len(tail))
            note = f"\n... {self.dropped_bytes:,} bytes left out: a log is bounded ...\n"
            self._write((note.encode() if self.dropped_bytes else b"") + tail)

    def _read(self) -> bool:
        """Copy what is in the pipe; returns whether there may be more."""
        try:
            received = os.read(self._read_end, _READ_BYTES)
        except BlockingIOError:
            return False
        self._unfinished += received
        end = self._unfinished.rfind(b"\n") + 1
        if not end and len(self._unfinished) > _LINE_BYTES:
            end = self._unfinished.rfind(b" ") + 1 or len(self._unfinished)
        self._store(self._unfinished[:end])
        self._unfinished = self._unfinished[end:]
        return bool(received)

    def _store(self, content: bytes) -> None:
        self.printed_bytes += len(content)
        room = HEAD_BYTES - self._written
        if room > 0:
            content = redacted(content.decode(errors="replace")).encode()
            self._write(content[:room])
            content = content[room:]
        if content:  # only its end is looked through for passwords: a target may print gigabytes
            self.dropped_bytes += len(content)
            self._tail = (self._tail + content)[-2 * TAIL_BYTES :]

    def _write(self, content: bytes) -> None:
        """Write to the file; what a full disk refuses is dropped: the load must go on."""
        try:
            self._written += self._file.write(content) or 0
        except OSError:
            self.dropped_bytes += len(content)
            self._written = HEAD_BYTES
