"""The folder of a run with as many records as wanted, made from that of a run that was played."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.samples.journal import JournalWriter, read_facts
from perf_pipeline.samples.level_records import RECORD_DTYPE
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.samples.slots import CLOSED, ENDED, NUMBER, START_NS, STARTED, STATE, SlotFile

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

LENGTH_S = 60
_SECOND_NS = 1_000_000_000
_DERIVED = ("*.parquet", "metrics.json", "headline.json", "report.*", "histograms.bin")


def large_run(played: RunFolder, root: Path, records: int, seed: int) -> RunFolder:
    """Return a copy of a run of one closed level, with other records of the same workers.

    Slots are busy for ``LENGTH_S`` without a pause; service times are exponential.

    Args:
        played: The run, ended.
        root: Folder of the copy; must not exist.
        records: How many its workers have together, about.
        seed: Source of the service times.
    """
    shutil.copytree(
        played.root, root, ignore=shutil.ignore_patterns(*_DERIVED, "*.sqlite*", "*.slots")
    )
    made = RunFolder(root)
    (level,), (source,) = made.level_folders(), played.level_folders()
    log = read_json(level / "level.json")
    go_ns, end_ns = log["go_ns"], log["go_ns"] + LENGTH_S * _SECOND_NS
    log["phases_ns"] = {"steady": [go_ns, end_ns], "drain": [end_ns, end_ns + 1]}
    write_json(level / "level.json", log)
    rng = np.random.default_rng(seed)
    workers = sorted(source.glob("worker-*.sqlite"))
    for worker, journal in enumerate(workers):
        stamps = SlotFile(source / f"{journal.stem}.slots", writable=False)
        slots = stamps.slots
        stamps.close()
        kinds = np.fromfile(source / f"{journal.stem}.kinds", dtype="<i8")
        rows = _rows(records // len(workers), slots, go_ns, rng)
        rows["number"] = rows["number"] * len(workers) + worker
        rows["kind"] = kinds[rows["number"] % len(kinds)]
        _write_journal(level / journal.name, rows, go_ns, read_facts(journal))
        _write_stamps(level / f"{journal.stem}.slots", rows, slots)
    return made


def _rows(records: int, slots: int, go_ns: int, rng: np.random.Generator) -> npt.NDArray[np.void]:
    """Return the records of a worker, ``RECORD_DTYPE``, in the order of their ends."""
    each = max(1, records // slots)
    lasted = rng.exponential(size=(slots, each))
    lasted *= (LENGTH_S - 0.001) * _SECOND_NS / lasted.sum(axis=1, keepdims=True)
    ends = go_ns + np.cumsum(lasted, axis=1).astype(np.int64)
    starts = np.concatenate([np.full((slots, 1), go_ns), ends[:, :-1]], axis=1)
    rows = np.zeros(slots * each, dtype=RECORD_DTYPE)
    rows["start_ns"] = rows["intended_start_ns"] = starts.ravel()
    rows["end_ns"] = ends.ravel()
    rows["slot"] = np.repeat(np.arange(slots), each)
    rows["number"][np.argsort(rows["start_ns"], kind="stable")] = np.arange(len(rows))
    return rows[np.argsort(rows["end_ns"], kind="stable")]


def _write_journal(
    path: Path, rows: npt.NDArray[np.void], go_ns: int, facts: dict[str, str]
) -> None:
    """Write the records in blocks of half a second, as a worker commits them."""
    journal = JournalWriter(path)
    journal.facts(facts)
    commits_ns = go_ns + np.arange(1, 2 * LENGTH_S + 1) * (_SECOND_NS // 2)
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
