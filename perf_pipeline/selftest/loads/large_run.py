"""The folder of a run with as many records as wanted, made from that of a run that was played."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.samples.journal import read_facts
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.samples.slots import SlotFile
from perf_pipeline.selftest.loads.worker_files import busy_rows, write_worker

if TYPE_CHECKING:
    from pathlib import Path

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
        rows = busy_rows(records // len(workers), slots, go_ns, LENGTH_S, rng)
        rows["number"] = rows["number"] * len(workers) + worker
        rows["kind"] = kinds[rows["number"] % len(kinds)]
        index = int(journal.stem.removeprefix("worker-"))
        write_worker(level, index, rows, slots, go_ns, read_facts(journal))
    return made
