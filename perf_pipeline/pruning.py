"""Removes the records of old runs and keeps what was measured: ``perf-pipeline prune``."""

from __future__ import annotations

import os
import re
import shutil
import stat
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.faults.proxy.decisions import DECISIONS_FILE
from perf_pipeline.logs.log import FOLDER
from perf_pipeline.logs.stored import log_files
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.metrics.records.level_histograms import FILE as HISTOGRAMS
from perf_pipeline.metrics.records.level_histograms import write_histograms
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.pruned import mark_pruned, pruned_at
from perf_pipeline.samples.run_folder import CONTROL, INTENDED
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import MAY_GO_ON
from perf_pipeline.samples.shards.shard_folders import SHARDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from perf_pipeline.samples.run_list import FoundRun

_OF_WORKERS = re.compile(r"worker-\d+(\.(sqlite(-wal|-shm)?|slots|kinds|ramp|log|json)|-home)")
_OF_RUN = ("records.parquet", "steps.parquet", "progress.jsonl", DECISIONS_FILE)
_BLOCK_BYTES = 512


@dataclass(frozen=True)
class Pruned:
    """One run and what was, or would be, removed of it.

    Attributes:
        run_id: The run.
        bytes: What it frees on the disk.
        files: How many files; one that two folders have as links counts once.
        kept_because: Why nothing of it is removed; empty if something is.
    """

    run_id: str
    bytes: int = 0
    files: int = 0
    kept_because: str = ""


@dataclass(frozen=True)
class Pruning:
    """What ``prune`` did.

    Attributes:
        runs: The runs that are older than the limit, oldest first.
        younger: How many are not.
        passed_over: A sentence for each folder that is no run, or a copy of one; not touched.
    """

    runs: tuple[Pruned, ...]
    younger: int
    passed_over: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """What all of it frees on the disk."""
        return sum(run.bytes for run in self.runs)


def prune(
    results: Path,
    keep: timedelta,
    now: datetime,
    *,
    dry_run: bool,
    notify: Callable[[Pruned], None] = lambda _run: None,
) -> Pruning:
    """Remove journals, records and logs of runs that ended long ago.

    Kept are manifest, metrics, histograms, reports, the logs of levels and the result files.

    Args:
        results: The results folder.
        keep: Runs that ended within this time are not touched.
        now: The present.
        dry_run: Remove nothing.
        notify: Called with each older run.

    Raises:
        RunFolderError: The folder cannot be read.
    """
    runs = read_runs(results, now)
    old = [one for one in runs.found if _ended(one) < now - keep]
    done = []
    for one in old:
        try:
            why = _reason_to_keep(one)
            pruned = (
                Pruned(one.folder.run_id, kept_because=why) if why else _prune(one, now, dry_run)
            )
        except (RunFolderError, OSError) as error:
            pruned = Pruned(one.folder.run_id, kept_because=str(error))
        notify(pruned)
        done.append(pruned)
    return Pruning(tuple(done), len(runs.found) - len(old), runs.passed_over)


def _ended(run: FoundRun) -> datetime:
    return datetime.fromisoformat(run.record.get("ended_at", run.record["started_at"]))


def _reason_to_keep(run: FoundRun) -> str:
    """Return why nothing of a run may be removed; empty if something may.

    Raises:
        RunFolderError: Its metrics cannot be read.
    """
    folder, status = run.folder, run.record["status"]
    if status in MAY_GO_ON:
        return f"it is {status}, and may still go on"
    if folder.root.lstat().st_uid != os.getuid():
        return "it belongs to another user"
    if not folder.metrics.exists() or read_metrics(folder).status != status:
        return (
            "it was not measured to its end: `perf-pipeline report "
            f"{folder.run_id}` does that, and then its records can be removed"
        )
    return ""


def _prune(run: FoundRun, now: datetime, dry_run: bool) -> Pruned:  # noqa: FBT001
    folder = run.folder
    levels = folder.level_folders()
    removed = [path for level in levels for path in _records_in(level)]
    removed += [path for name in _OF_RUN if (path := folder.root / name).exists()]
    removed += log_files(folder.root / FOLDER)
    removed += [shards] if (shards := folder.root / SHARDS).is_dir() else []
    if not removed:
        return Pruned(folder.run_id, kept_because="its records were removed before")
    freed, files = _size_of(removed)
    if not dry_run:
        kinds = len(read_metrics(folder).manifest.kinds)
        for level in levels:
            if not (level / HISTOGRAMS).exists() and not pruned_at(level):
                write_histograms(level, read_level(level, kinds))
        for level in levels:  # first: whoever reads it from now on knows that records are missing
            mark_pruned(level, now.isoformat(timespec="seconds"))
        for path in removed:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return Pruned(folder.run_id, freed, files)


def _records_in(level: Path) -> list[Path]:
    found = [level / INTENDED] if (level / INTENDED).exists() else []
    for place in (level, level / CONTROL):
        if place.is_dir() and not place.is_symlink():
            found += [path for path in sorted(place.iterdir()) if _OF_WORKERS.fullmatch(path.name)]
    return found


def _size_of(paths: Iterable[Path]) -> tuple[int, int]:
    """Return what files, and folders with everything in them, take on the disk, and how many files.

    A file that has several names among them counts once.
    """
    blocks: dict[tuple[int, int], int] = {}
    files = set()
    for path in paths:
        inner = path.rglob("*") if path.is_dir() and not path.is_symlink() else ()
        for one in (path, *inner):
            found = one.lstat()
            key = found.st_dev, found.st_ino
            blocks[key] = found.st_blocks
            if not stat.S_ISDIR(found.st_mode):
                files.add(key)
    return sum(blocks.values()) * _BLOCK_BYTES, len(files)
