"""The files that a worker process of a closed level leaves, with as many records as wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.level_records import RECORD_DTYPE
from perf_pipeline.samples.slots import CLOSED, ENDED, NUMBER, START_NS, STARTED, STATE, SlotFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

_SECOND_NS = 1_000_000_000


def busy_rows(
    records: int, slots: int, go_ns: int, length_s: float, rng: np.random.Generator
) -> npt.NDArray[np.void]:
    """Return the records of a worker, ``RECORD_DTYPE``, in the order of their ends.

    Its slots are busy without a pause; service times are exponential.

    Args:
        records: How many, about.
        slots: Slots of the worker.
        go_ns: Start of the level.
        length_s: When the last workflow of each slot ends.
        rng: Source of the service times.
    """
    each = max(1, records // slots)
    lasted = rng.exponential(size=(slots, each))
    lasted *= (length_s - 0.001) * _SECOND_NS / lasted.sum(axis=1, keepdims=True)
    ends = go_ns + np.cumsum(lasted, axis=1).astype(np.int64)
    starts = np.concatenate([np.full((slots, 1), go_ns), ends[:, :-1]], axis=1)
    rows = np.zeros(slots * each, dtype=RECORD_DTYPE)
    rows["start_ns"] = rows["intended_start_ns"] = starts.ravel()
    rows["end_ns"] = ends.ravel()
    rows["slot"] = np.repeat(np.arange(slots), each)
    rows["number"][np.argsort(rows["start_ns"], kind="stable")] = np.arange(len(rows))
    return rows[np.argsort(rows["end_ns"], kind="stable")]


def write_worker(
    level: Path,
    worker: int,
    rows: npt.NDArray[np.void],
    slots: int,
    go_ns: int,
    facts: Mapping[str, str],
) -> None:
    """Write journal and slot file of a worker that ended by itself.

    Args:
        level: The level's folder.
        worker: Index of the worker.
        rows: Its records, in the order of their ends.
        slots: Its slots.
        go_ns: Start of the level.
        facts: What it says about itself.
    """
    _write_journal(level / f"worker-{worker}.sqlite", rows, go_ns, facts)
    _write_stamps(level / f"worker-{worker}.slots", rows, slots)


def _write_journal(
    path: Path, rows: npt.NDArray[np.void], go_ns: int, facts: Mapping[str, str]
) -> None:
    """Write the records in blocks of half a second, as a worker commits them."""
    journal = JournalWriter(path)
    journal.facts(dict(facts))
    half_ns = _SECOND_NS // 2
    blocks = int(rows["end_ns"][-1] - go_ns) // half_ns + 1
    commits_ns = go_ns + np.arange(1, blocks + 1) * half_ns
    bounds = np.searchsorted(rows["end_ns"], commits_ns, side="right").tolist()
    for begin, end, at_ns in zip([0, *bounds], bounds, commits_ns.tolist(), strict=False):
        if end > begin:
            journal.commit(rows[begin:end].tobytes(), end - begin, at_ns)
    journal.close()


def _write_stamps(path: Path, rows: npt.NDArray[np.void], slots: int) -> None:
    stamps = SlotFile.create(path, slots, 0)
    counts = np.bincount(rows["slot"], minlength=slots).tolist()
    latest = {int(row["slot"]): row for row in rows[-50 * slots :]}
    for slot in range(slots):
        base = SlotFile.base(slot)
        stamps.words[base + STARTED] = stamps.words[base + ENDED] = counts[slot]
        if slot in latest:
            stamps.words[base + NUMBER] = int(latest[slot]["number"])
            stamps.words[base + START_NS] = int(latest[slot]["start_ns"])
    stamps.words[STATE] = CLOSED
    stamps.close()
