"""Reads the steps and counts of a level back, also those of workers that were killed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.journal import read_facts, read_steps
from perf_pipeline.samples.shards.clock_offsets import read_clock_offsets, worker_of
from perf_pipeline.samples.steps.step_journal import SAMPLED_EVERY
from perf_pipeline.steps import COLD, COUNT, FAILED, MAX_COUNT, OUTSIDE

if TYPE_CHECKING:
    from pathlib import Path

STEP_DTYPE = np.dtype(
    [
        ("number", "<i8"),
        ("start_ns", "<i8"),
        ("value", "<i8"),
        ("name", "<u4"),
        ("kind", "u1"),
        ("flags", "u1"),
        ("unused", "<u2"),
    ]
)
"""A record of ``perf_pipeline/steps.py`` as numpy reads it."""

IS_FAILED, IS_COUNT, IS_COLD, IS_OUTSIDE = (flag >> 40 for flag in (FAILED, COUNT, COLD, OUTSIDE))
"""Bits of ``flags``."""

STEP_SCHEMA = pl.Schema(
    {
        "level": pl.Int32(),
        "worker": pl.Int32(),
        "number": pl.Int64(),
        "kind": pl.UInt8(),
        "name": pl.String(),
        "start_ns": pl.Int64(),
        "value": pl.Int64(),
        "is_count": pl.Boolean(),
        "is_cold": pl.Boolean(),
        "failed": pl.Boolean(),
    }
)
"""``value`` is a duration in ns, or the value of a count; ``number`` and ``kind`` are null outside
of a workflow."""


@dataclass(frozen=True)
class LevelSteps:
    """The steps and counts of a level.

    Attributes:
        rows: ``STEP_DTYPE``, of all workers; ``name`` is an index into ``names``.
        workers: int32[n], the worker of each row.
        names: All names, sorted.
        sampled_every: The target timed every so many-th workflow; 0: every one.
        unnamed: Steps and counts that were not recorded because of their name.
        no_room: Likewise because the journal could not be written.
        damaged: Rows and blocks of the journals that are not as they were written.
    """

    rows: np.ndarray[Any, Any]
    workers: np.ndarray[Any, np.dtype[np.int32]]
    names: tuple[str, ...]
    sampled_every: int = 0
    unnamed: int = 0
    no_room: int = 0
    damaged: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was recorded, and nothing could not be."""
        return not (len(self.rows) or self.unnamed or self.no_room or self.damaged)


def read_level_steps(folder: Path, bounds_ns: tuple[int, int] | None = None) -> LevelSteps:
    """Read the steps of a level.

    Args:
        folder: The folder with its workers' files.
        bounds_ns: Of a stage; steps that started before or after it are left out.

    Raises:
        RunFolderError: A journal cannot be read.
    """
    parts, workers, every, unnamed, no_room, damaged = [], [], 0, 0, 0, 0
    places: dict[str, int] = {}
    offsets_ns = read_clock_offsets(folder)
    for path in sorted(folder.glob("worker-*.sqlite")):
        if not path.stat().st_size:
            continue
        try:
            found, facts = read_steps(path), read_facts(path)
        except sqlite3.DatabaseError as error:
            raise RunFolderError(f"{path} is not a journal: {error}") from error
        unnamed, no_room = unnamed + found.unnamed, no_room + found.no_room
        damaged += found.damaged_blocks
        text = str(facts.get(SAMPLED_EVERY, ""))
        every = max(every, int(text) if text.isdecimal() and len(text) < 10 else 0)  # noqa: PLR2004 an int
        rows = np.frombuffer(found.payload, dtype=STEP_DTYPE)
        names = found.names or {}
        is_whole = np.isin(rows["name"], list(names))
        is_whole &= (rows["value"] >= 0) & (rows["value"] <= MAX_COUNT) & (rows["start_ns"] >= 0)
        damaged += int(np.count_nonzero(~is_whole))
        rows = rows[is_whole]
        worker = worker_of(path)
        rows["start_ns"] += offsets_ns.get(worker, 0)
        if bounds_ns is not None:
            begins_ns = rows["start_ns"]
            rows = rows[(begins_ns >= bounds_ns[0]) & (begins_ns < bounds_ns[1])]
        table = np.zeros(1 + max(names, default=0), dtype=np.uint32)
        for place, name in names.items():
            table[place] = places.setdefault(name, len(places))
        rows["name"] = table[rows["name"]]
        parts.append(rows)
        workers.append(np.full(len(rows), worker, dtype=np.int32))
    order = sorted(places)
    rank = np.zeros(len(order), dtype=np.uint32)
    rank[[places[name] for name in order]] = np.arange(len(order))
    rows = np.concatenate([np.zeros(0, dtype=STEP_DTYPE), *parts])
    if len(rows):
        rows["name"] = rank[rows["name"]]
    return LevelSteps(
        rows=rows,
        workers=np.concatenate([np.zeros(0, dtype=np.int32), *workers]),
        names=tuple(order),
        sampled_every=every,
        unnamed=unnamed,
        no_room=no_room,
        damaged=damaged,
    )


def level_steps(found: LevelSteps, level: int) -> pl.DataFrame:
    """Return the steps of a level, whose index is ``level``, as ``STEP_SCHEMA``."""
    rows, flags = found.rows, found.rows["flags"]
    inside = pl.lit(pl.Series((flags & IS_OUTSIDE) == 0))
    return pl.DataFrame(
        {
            "worker": found.workers,
            "number": rows["number"],
            "kind": rows["kind"],
            "name": pl.Series(found.names, dtype=pl.String()).gather(rows["name"]),
            "start_ns": rows["start_ns"],
            "value": rows["value"],
            "is_count": (flags & IS_COUNT) != 0,
            "is_cold": (flags & IS_COLD) != 0,
            "failed": (flags & IS_FAILED) != 0,
        }
    ).select(
        pl.lit(level, pl.Int32).alias("level"),
        "worker",
        pl.when(inside).then("number").alias("number"),
        pl.when(inside).then("kind").alias("kind"),
        "name",
        "start_ns",
        "value",
        "is_count",
        "is_cold",
        "failed",
    )
