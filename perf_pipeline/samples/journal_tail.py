"""Follows the journals of a level while its worker processes write them."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.samples.journal import SELECT_BLOCKS
from perf_pipeline.samples.shards.clock_offsets import read_clock_offsets, worker_of

if TYPE_CHECKING:
    from pathlib import Path


NO_END_NS = 2**63 - 1
"""A moment of CLOCK_MONOTONIC after all others."""


class Block(NamedTuple):
    """Records that one worker process committed together.

    Attributes:
        committed_ns: When, CLOCK_MONOTONIC of the level.
        payload: The records, ``record.RECORD.size`` bytes each, by the clock of their host.
        journal: Name of the process's journal.
    """

    committed_ns: int
    payload: bytes
    journal: str


class JournalTail:
    """Reads what the worker processes of a level committed since the last call.

    The journals are opened for reading alone, so nothing of the run can change.

    Attributes:
        is_damaged: Whether one of the files is no journal.
        damaged_blocks: Blocks whose checksum is wrong: their records are lost.
    """

    def __init__(self, folder: Path) -> None:
        """Prepare to read; nothing is opened.

        Args:
            folder: The level's folder.
        """
        self._folder = folder
        self._offsets_ns = read_clock_offsets(folder)
        self._next_seq: dict[Path, int] = {}
        self.is_damaged = False
        self.damaged_blocks = 0

    def new_blocks(self, until_ns: int = NO_END_NS) -> list[Block]:
        """Return the blocks that are new and whole, those of one process in order of commit.

        A journal that is busy, or has no tables yet, is read at the next call.

        Args:
            until_ns: What was committed later is left for a later call, CLOCK_MONOTONIC.
        """
        blocks: list[Block] = []
        for path in sorted(self._folder.glob("worker-*.sqlite")):
            offset_ns = self._offsets_ns.get(worker_of(path), 0)
            try:
                with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
                    for seq, at_ns, crc, payload in db.execute(
                        SELECT_BLOCKS, (self._next_seq.get(path, 0),)
                    ):
                        committed_ns = at_ns + offset_ns
                        if committed_ns > until_ns:
                            break
                        self._next_seq[path] = seq + 1
                        if zlib.crc32(payload) == crc:
                            blocks.append(Block(committed_ns, payload, path.name))
                        else:
                            self.damaged_blocks += 1
            except sqlite3.OperationalError:
                continue
            except sqlite3.DatabaseError:
                self.is_damaged = True
        return blocks
