"""Reads a level's records back, also those of workers or supervisors that were killed."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.ended_because import STOPPED_BY_US, EndedBecause
from perf_pipeline.samples.journal import EMPTY_JOURNAL, Journal, read_journal
from perf_pipeline.samples.open_records import complete
from perf_pipeline.samples.pruned import refuse_pruned
from perf_pipeline.samples.record import COLD, ErrorClass, Outcome, cold_kind
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.samples.shards.clock_offsets import read_clock_offsets
from perf_pipeline.samples.slots import CLOSED, NUMBER, START_NS, STARTED, STATE, SlotFile
from perf_pipeline.samples.stages.stage_records import bounds_ns, home_of, of_stage

if TYPE_CHECKING:
    from pathlib import Path

pl.Series(np.empty(0))
"""Has polars import numpy now: at its first use two threads would disturb each other."""

RECORD_DTYPE = np.dtype(
    [
        ("number", "<i8"),
        ("intended_start_ns", "<i8"),
        ("start_ns", "<i8"),
        ("end_ns", "<i8"),
        ("slot", "<u4"),
        ("kind", "u1"),
        ("outcome", "u1"),
        ("error_class", "u1"),
        ("flags", "u1"),
    ]
)
"""``record.RECORD`` as numpy reads it."""

_TIMES = ("intended_start_ns", "start_ns", "end_ns")

SCHEMA = pl.Schema(
    {
        "level": pl.Int32(),
        "worker": pl.Int32(),
        "number": pl.Int64(),
        "intended_start_ns": pl.Int64(),
        "start_ns": pl.Int64(),
        "end_ns": pl.Int64(),
        "slot": pl.UInt32(),
        "kind": pl.UInt8(),
        "outcome": pl.UInt8(),
        "error_class": pl.UInt8(),
        "flags": pl.UInt8(),
    }
)


_CORES = 2
"""Journals that are read at a time: SQLite, checksums and copies leave the interpreter lock."""


@dataclass(frozen=True)
class WorkerRecords:
    """The stored records of one worker process.

    Attributes:
        worker: Its index.
        frame: Its records, ``SCHEMA``; workflows in flight when it died are among them, as
            ``Outcome.ERROR`` of class ``TARGET_CRASH`` (or abandoned, if our own stop ended it).
        journal: The rest of its journal.
        may_be_missing: Workflows that it had started and of which nothing else is known.
        recovered: True when records were made from the slot stamps.
        in_flight: Numbers of the workflows that had started and not ended when it ended.
    """

    worker: int
    frame: pl.DataFrame
    journal: Journal
    may_be_missing: int
    recovered: bool
    in_flight: tuple[int, ...] = ()


@dataclass(frozen=True)
class LevelRecords:
    """Everything that is stored of one level.

    Attributes:
        log: ``level.json``: plan, phases, workers' ends.
        workers: In order.
        frame: The records of all workers.
    """

    log: dict[str, Any]
    workers: tuple[WorkerRecords, ...]
    frame: pl.DataFrame

    @property
    def recovered(self) -> bool:
        """True when a worker process was killed and some of its records were recovered."""
        return any(worker.recovered for worker in self.workers)

    @property
    def may_be_missing(self) -> int:
        """Workflows that were started and of which nothing else is known."""
        return sum(worker.may_be_missing for worker in self.workers)


def read_level(folder: Path, kinds: int) -> LevelRecords:
    """Read one level's folder.

    Args:
        folder: The level's folder.
        kinds: How many kinds of workflow the run has (a cold start's number holds its kind).

    Raises:
        RunFolderError: ``level.json`` or a journal cannot be read, or the records were pruned.
    """
    log = read_json(folder / "level.json")
    home = home_of(folder, log)
    refuse_pruned(home)
    stopped_by_us = log["ended_because"] == EndedBecause.INTERRUPTED
    reasons = {entry["worker"]: entry["reason"] for entry in log["workers"]}
    offsets_ns = read_clock_offsets(home)

    def read(worker: int) -> WorkerRecords:
        died = reasons.get(worker, "supervisor killed")
        by_us = stopped_by_us or died.startswith(STOPPED_BY_US)
        cut = Outcome.ABANDONED if by_us else Outcome.ERROR
        return _read_worker(home, worker, log, kinds, cut, offsets_ns.get(worker, 0))

    # A supervisor that was killed while it made an empty file had started nothing.
    begun = sorted(_index(path) for path in home.glob("worker-*.slots") if path.stat().st_size)
    with ThreadPoolExecutor(_CORES) as cores:
        workers = list(cores.map(read, begun))
    frames = [worker.frame for worker in workers]
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)
    if log["plan"]["loop"] == "open":
        missing = dict.fromkeys(range(log["plan"]["processes"]), 0)
        missing |= {worker.worker: worker.may_be_missing for worker in workers}
        frame = complete(frame, folder, log, missing)
    return LevelRecords(log=log, workers=tuple(workers), frame=frame)


def _index(path: Path) -> int:
    return int(path.stem.removeprefix("worker-"))


def _read_worker(
    folder: Path, worker: int, log: dict[str, Any], kinds: int, cut: Outcome, offset_ns: int
) -> WorkerRecords:
    path = folder / f"worker-{worker}.sqlite"
    try:
        journal = read_journal(path)
    except sqlite3.DatabaseError as error:
        if path.stat().st_size:
            raise RunFolderError(f"{path} is not a journal: {error}") from error
        journal = EMPTY_JOURNAL
    journal = _moved(journal, offset_ns)
    rows = np.frombuffer(journal.payload, dtype=RECORD_DTYPE)
    if offset_ns:
        rows = rows.copy()
        for name in _TIMES:
            rows[name] += offset_ns
    slots = SlotFile(folder / f"worker-{worker}.slots", writable=False)
    try:
        made, missing = _from_stamps(folder, worker, slots, rows, kinds, cut, journal, offset_ns)
        in_flight = slots.in_flight()
    finally:
        slots.close()
    rows = np.concatenate([rows, made]) if len(made) else rows
    frame = pl.DataFrame({name: rows[name] for name in RECORD_DTYPE.names or ()}).with_columns(
        level=pl.lit(log["plan"]["index"], pl.Int32), worker=pl.lit(worker, pl.Int32)
    )
    bounds, last_commit_ns = bounds_ns(log), max(journal.commits_ns, default=0)
    if bounds and bounds[1] <= last_commit_ns:
        missing = 0  # what was lost came after the last commit, in a later stage
    return WorkerRecords(
        worker=worker,
        frame=of_stage(frame.select(SCHEMA.names()), log),
        journal=journal,
        may_be_missing=missing,
        recovered=bool(len(made)) or missing > 0 or journal.damaged_blocks > 0,
        in_flight=in_flight,
    )


def _moved(journal: Journal, offset_ns: int) -> Journal:
    """Return a journal with its times, but for those of the records, in the clock of the level."""
    if not offset_ns:
        return journal
    return replace(
        journal,
        commits_ns=tuple(at_ns + offset_ns for at_ns in journal.commits_ns),
        waits=tuple((at_ns + offset_ns, what, n) for at_ns, what, n in journal.waits),
    )


def _from_stamps(
    folder: Path,
    worker: int,
    slots: SlotFile,
    rows: np.ndarray[Any, Any],
    kinds: int,
    cut: Outcome,
    journal: Journal,
    offset_ns: int,
) -> tuple[np.ndarray[Any, Any], int]:
    """Make records for workflows of which only the start stamp is left.

    A slot that started more workflows than it has records lost the rest with its worker's last,
    uncommitted half second. Of the latest one number and start are known: it becomes a record.
    The others are counted. A worker that closed its journal had no crash: what started after
    that was cut short by our own stop.

    Returns:
        Records, and how many workflows are known by their count alone.
    """
    cycle = np.fromfile(folder / f"worker-{worker}.kinds", dtype="<i8")
    recorded = np.bincount(rows["slot"], minlength=slots.slots)
    latest = [slots.words[SlotFile.base(slot) + NUMBER] for slot in range(slots.slots)]
    # A slot has one workflow at a time, so the last of its records is of the latest that ended.
    ended = np.full(slots.slots, np.iinfo(np.int64).min)
    ended[rows["slot"]] = rows["number"]
    known = (ended == np.array(latest, dtype=np.int64)).tolist()
    last_commit_ns = journal.commits_ns[-1] if journal.commits_ns else 0
    cut = Outcome.ABANDONED if slots.words[STATE] == CLOSED else cut
    error_class = ErrorClass.TARGET_CRASH if cut is Outcome.ERROR else ErrorClass.NONE
    made, missing = [], 0
    for slot in range(slots.slots):
        base = SlotFile.base(slot)
        lost = slots.words[base + STARTED] - int(recorded[slot])
        number, start_ns = slots.words[base + NUMBER], slots.words[base + START_NS] + offset_ns
        if lost > 0 and not known[slot]:
            kind = cold_kind(number, kinds) if number < 0 else int(cycle[number % len(cycle)])
            flags = COLD if number < 0 else 0
            end_ns = max(start_ns, last_commit_ns)
            made.append((number, start_ns, start_ns, end_ns, slot, kind, cut, error_class, flags))
            lost -= 1
        missing += max(lost, 0)
    return np.array(made, dtype=RECORD_DTYPE), missing
