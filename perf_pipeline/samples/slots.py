"""The state of every slot of a worker process, in memory that outlives the process.

A slot is one place for a workflow in flight (one thread of a synchronous target). Each slot's
stamps are written by its own thread alone, into a file that is mapped into memory: they cost
tens of nanoseconds, need no lock, and remain readable when the process is killed. So a reader can
always find how many workflows were started and which were in flight.

The same file has the words with which the supervisor steers a worker, so that no thread has to
receive a message while it waits for the interpreter lock among a thousand others.

Layout, little-endian int64 words: ``HEADER_WORDS`` of header, then ``SLOT_WORDS`` a slot.

This module is imported in the target's process: standard library only.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEADER_WORDS = 16
STATE, GO_NS, STOP_NS, SLOTS, DRAIN_NS, SLOTS_ENDED, DISK_FULL, IN_SETUP, ALLOWED = range(9)
HOUR, HEAP_BLOCKS, WORKFLOWS, MALLOC_BYTES, MALLOC_FREE_BYTES = range(9, 14)
"""Header: the worker's state; when slot 0 may start; when to start nothing more; number of
slots; how long after the stop workflows in flight may still end; slots that will start nothing
more; 1 while the journal cannot grow; 1 while the user's setup runs; how many slots may play, in
stages alone. Of a lasting worker: the latest hour that is announced, counted from 1; how many
blocks of memory its interpreter has allocated; workflows that have ended in all hours; what malloc
has handed out, and what it keeps of what was freed, both 0 where no C library counts it."""

STARTING, READY, PLAYING, CLOSED = 0, 1, 2, 3
"""States of a worker, in their order; ``CLOSED`` means that its last record is committed."""

SLOT_WORDS = 5
STARTED, ENDED, FAILED, NUMBER, START_NS = 0, 1, 2, 3, 4
"""Slot: workflows started, ended, and ended not ok; number and start of the latest one."""

NEVER_NS = 2**63 - 1


class SlotFile:
    """The mapped file; index ``words`` with the constants above.

    Attributes:
        words: All words; ``words[base(slot) + STARTED]`` and so on.
        slots: Number of slots.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        """Map the file at ``path``, for reading alone unless ``writable``."""
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        with path.open("r+b" if writable else "rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=access)
        self.words = memoryview(self._map).cast("q")
        self.slots = self.words[SLOTS]

    @classmethod
    def create(cls, path: Path, slots: int, drain_ns: int) -> SlotFile:
        """Make the file with every stamp zero, no go and no stop.

        Args:
            path: Where; must not exist.
            slots: Number of slots, > 0.
            drain_ns: How long after the stop workflows in flight may still end.

        Raises:
            FileExistsError: ``path`` exists: two workers would share their stamps.
            OSError: The disk has no room for it. Writing to a mapped file without blocks on the
                disk would end the process by SIGBUS when the disk is full.
        """
        with path.open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, 8 * (HEADER_WORDS + SLOT_WORDS * slots))
            file.write(
                b"".join(word.to_bytes(8, "little") for word in (0, 0, NEVER_NS, slots, drain_ns))
            )
        return cls(path)

    @staticmethod
    def base(slot: int) -> int:
        """Return the index of the first word of ``slot``."""
        return HEADER_WORDS + SLOT_WORDS * slot

    def totals(self) -> Totals:
        """Add up all slots; the values are not of one instant, but none is torn."""
        words = self.words
        return Totals(
            started=sum(words[HEADER_WORDS + STARTED :: SLOT_WORDS]),
            ended=sum(words[HEADER_WORDS + ENDED :: SLOT_WORDS]),
            failed=sum(words[HEADER_WORDS + FAILED :: SLOT_WORDS]),
        )

    def in_flight(self) -> tuple[int, ...]:
        """Return the numbers of the workflows that have started and not ended."""
        bases = map(self.base, range(self.slots))
        return tuple(
            self.words[at + NUMBER]
            for at in bases
            if self.words[at + STARTED] > self.words[at + ENDED]
        )

    def close(self) -> None:
        """Unmap the file; ``words`` must not be used afterwards."""
        self.words.release()
        self._map.close()


@dataclass(frozen=True)
class Totals:
    """Workflows of one worker or of several, since the start of the level."""

    started: int
    ended: int
    failed: int

    @property
    def in_flight(self) -> int:
        """Started and not ended."""
        return self.started - self.ended

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.started + other.started, self.ended + other.ended, self.failed + other.failed
        )
