"""What malloc has handed out in this process, and what it keeps of what was freed.

``sys.getallocatedblocks`` counts what the interpreter has allocated, of whatever size: a list that
grows is one block, and what native code allocates is none. Both come from malloc, as all that is
larger than 512 bytes.

glibc counts it since 2.33 (``mallinfo2``, over all arenas). What its threads have freed and hold
for their next allocation (tcache) counts as handed out. Older releases count
in 32 bits, other C libraries not at all: then nothing is known.

This module is imported in the target's process: standard library only.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass


@dataclass(frozen=True)
class MallocUse:
    """Memory of malloc, in its arenas and in mappings of single allocations.

    Attributes:
        used_bytes: Handed out and not freed; 0 where it is unknown.
        free_bytes: Freed, and kept in the arenas for later; resident for the most part.
    """

    used_bytes: int
    free_bytes: int


UNKNOWN = MallocUse(0, 0)


class _Mallinfo2(ctypes.Structure):
    """``struct mallinfo2`` of malloc.h."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


class MallocReader:
    """Reads what malloc has handed out, again and again."""

    def __init__(self, library: object | None = None) -> None:
        """Find the function that counts.

        Args:
            library: Has the functions of a C library; None for that of this process.
        """
        self._count = getattr(library or ctypes.CDLL(None), "mallinfo2", None)
        if self._count is not None:
            self._count.restype = _Mallinfo2

    def read(self) -> MallocUse:
        """Return what is handed out now; it takes the lock of each arena in turn."""
        if self._count is None:
            return UNKNOWN
        found = self._count()
        return MallocUse(found.uordblks + found.hblkhd, found.fordblks)
