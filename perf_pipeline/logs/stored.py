"""Reads stored logs: the lines of all processes in the order of time, and what is missing of them.

A file is one stream of lines, numbered from 0. Damaged lines (a process killed while it wrote) and
missing numbers are counted, so that a log with gaps does not look like a whole one.
"""

from __future__ import annotations

import heapq
import json
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from perf_pipeline.logs.log import DROPPED, SUFFIX
from perf_pipeline.logs.log_file import SEQUENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_READ_BYTES = 1 << 20
_MAX_LINE = 65536
"""A longer line is not ours, and is counted as damaged."""


class StoredLine(NamedTuple):
    """One line of a log.

    Attributes:
        at: ``@timestamp``; texts sort as times do.
        stream: Name of the file, without its end.
        sequence: Number within the stream.
        document: Its fields.
        end: Offset of its end in the file.
    """

    at: str
    stream: str
    sequence: int
    document: dict[str, Any]
    end: int


@dataclass
class Completeness:
    """What is known of the lines of a stream that are not there.

    Attributes:
        lines: Whole ones that were read.
        damaged: That could not be read.
        dropped: By their writer, as its notes say.
        gaps: (first, last) numbers that are missing, damaged and dropped ones included.
    """

    lines: int = 0
    damaged: int = 0
    dropped: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """How many numbers are missing."""
        return sum(last - first + 1 for first, last in self.gaps)


class LogTail:
    """Reads a log file piece by piece, also while it is written.

    Attributes:
        path: The file.
        offset: Where the next piece begins.
        completeness: Of what was read.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        """Begin at an offset, which is the end of a line."""
        self.path = path
        self.offset = offset
        self.completeness = Completeness()
        self._expected = 0 if offset == 0 else None

    def new_lines(self, max_bytes: int = _READ_BYTES) -> list[StoredLine]:
        """Return whole lines that were not read yet, of about so many bytes at most.

        Raises:
            OSError: The file is gone, or is none that a log may be.
        """
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{self.path} is not a regular file")
            content = os.pread(descriptor, max(max_bytes, _MAX_LINE), self.offset)
        finally:
            os.close(descriptor)
        *texts, rest = content.split(b"\n")
        found = []
        for text in texts:
            self.offset += len(text) + 1
            if line := self._line(text):
                found.append(line)
        if len(rest) >= _MAX_LINE:
            self.offset += len(rest)
            self.completeness.damaged += 1
        return found

    def _line(self, text: bytes) -> StoredLine | None:
        try:
            document = json.loads(text)
            at, sequence = document["@timestamp"], document[SEQUENCE]
        except (ValueError, KeyError, TypeError, RecursionError):
            self.completeness.damaged += 1
            return None
        if not isinstance(at, str) or type(sequence) is not int:
            self.completeness.damaged += 1
            return None
        self._count(document, sequence)
        return StoredLine(at, self.path.name.removesuffix(SUFFIX), sequence, document, self.offset)

    def _count(self, document: dict[str, Any], sequence: int) -> None:
        if self._expected is not None and sequence > self._expected:
            self.completeness.gaps.append((self._expected, sequence - 1))
        self._expected = sequence + 1
        self.completeness.lines += 1
        dropped = document.get("loadtest.dropped_lines", 0)
        if document.get("event.action") == DROPPED and type(dropped) is int:
            self.completeness.dropped += dropped


def log_files(folder: Path) -> list[Path]:
    """Return the log files of a folder, by name; none if there is no such folder."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.is_symlink())


def in_order(tails: Sequence[LogTail]) -> Iterator[StoredLine]:
    """Yield the lines of several files in the order of their times.

    Within a file lines are in the order in which they were written, which is that of their times
    but where a clock was set back; those stay where they are.
    """
    return heapq.merge(*map(_all_lines, tails), key=lambda line: line.at)


def _all_lines(tail: LogTail) -> Iterator[StoredLine]:
    before = -1
    while before != (before := tail.offset):
        yield from tail.new_lines()


def gap_sentences(tails: Sequence[LogTail]) -> list[str]:
    """Return a sentence for each file that lacks lines."""
    sentences = []
    for tail in tails:
        found = tail.completeness
        if not (found.missing or found.damaged):
            continue
        shown = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in found.gaps[:5])
        more = f" and {len(found.gaps) - 5} more gaps" if len(found.gaps) > 5 else ""  # noqa: PLR2004
        sentences.append(
            f"{tail.path.name} lacks {found.missing} of {found.lines + found.missing} lines"
            + (f" (numbers {shown}{more})" if shown else "")
            + f": {found.dropped} were dropped by their writer, {found.damaged} are damaged"
        )
    return sentences
