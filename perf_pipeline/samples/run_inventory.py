"""Counts what is stored of a run, also of one that failed or was killed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.journal import count_records
from perf_pipeline.samples.manifest import read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder


NOT_BEGUN = "not begun"


@dataclass(frozen=True)
class RunInventory:
    """What is stored of a run.

    Attributes:
        folder: The run's folder.
        status: Of the run's record; ``not begun`` without a record.
        levels: Levels that were begun.
        records: Records in the journals of all worker processes, recovered ones included.
        may_be_missing: Workflows that were started and of which nothing else is known.
        problem: Why some of it could not be counted; empty if all was.
    """

    folder: Path
    status: str
    levels: int = 0
    records: int = 0
    may_be_missing: int = 0
    problem: str = ""


def run_inventory_of(folder: RunFolder) -> RunInventory:
    """Count what is stored of a run; what cannot be read becomes ``problem``.

    It never raises, because it is called while another error is being reported.
    """
    from perf_pipeline.samples.level_records import read_level  # noqa: PLC0415 - numpy and polars
    from perf_pipeline.samples.stages.stage_records import IS_CARRIED  # noqa: PLC0415

    if not folder.status_file.exists():
        return RunInventory(folder.root, NOT_BEGUN)
    problems: list[str] = []
    levels = records = missing = 0
    status = "of unknown status"
    try:
        status = str(folder.read_status()["status"])
        with damage_named(folder):
            kinds = len(read_manifest(folder).kinds)
    except RunFolderError as error:
        return RunInventory(folder.root, status, problem=str(error))
    for path in folder.level_folders():
        levels += 1
        try:
            with damage_named(folder):
                left = read_level(path, kinds)
        except RunFolderError as error:
            problems.append(str(error))
            continue
        records += left.frame.filter(~IS_CARRIED).height
        missing += left.may_be_missing
    return RunInventory(folder.root, status, levels, records, missing, "; ".join(problems))


def committed_inventory_of(folder: RunFolder) -> RunInventory:
    """Count what the worker processes of a run committed, without reading it.

    Records that are recovered from the slots of a killed worker are not among them.
    """
    levels, records, problem = folder.level_folders(), 0, ""
    try:
        for level in levels:
            records += sum(map(count_records, sorted(level.glob("worker-*.sqlite"))))
    except sqlite3.DatabaseError as error:
        problem = f"a journal cannot be read: {error}"
    status = str(folder.read_status()["status"])
    return RunInventory(folder.root, status, len(levels), records, problem=problem)
