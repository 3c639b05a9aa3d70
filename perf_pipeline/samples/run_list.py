"""The runs of a results folder, in the order of their starts.

What is no run of ours, is damaged, or is a copy of another run is passed over and named: one such
folder must neither hide the others nor be taken for the latest.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import RunRecord, is_from_the_future, started
from perf_pipeline.samples.shards.shard_folders import is_unmerged, unmerged_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RUN_ID = re.compile(r"[0-9]{8}_[0-9]{6}-[0-9a-f]{4}")
"""A run's id as ``new_run_id`` makes it."""

LINES_MAX = 5
"""Folders that are named when the latest run is looked for; `perf-pipeline status` names all."""


class FoundRun(NamedTuple):
    """A run and its record."""

    folder: RunFolder
    record: RunRecord


@dataclass(frozen=True)
class Runs:
    """What a results folder holds.

    Attributes:
        found: Its runs, oldest first.
        passed_over: A sentence for each folder that is called like a run, or has a ``run.json``,
            and is none, with the reason.
    """

    found: tuple[FoundRun, ...]
    passed_over: tuple[str, ...]

    @property
    def folders(self) -> list[RunFolder]:
        """The folders of the runs, oldest first."""
        return [one.folder for one in self.found]


def read_runs(results: Path, now: datetime | None = None) -> Runs:
    """Read the records of all runs in a results folder.

    Args:
        results: The folder; one that does not exist has no runs.
        now: What is later than this cannot have started; None for the present.

    Raises:
        RunFolderError: The folder cannot be read.
    """
    now = now or datetime.now(UTC)
    by_id: dict[str, list[FoundRun]] = {}
    passed_over = []
    for path in _candidates(results):
        if is_unmerged(path):
            passed_over.append(unmerged_sentence(path))
            continue
        try:
            folder = _run_at(path)
            record = folder.read_status()
        except RunFolderError as error:
            passed_over.append(str(error))
            continue
        if is_from_the_future(record, now):
            passed_over.append(
                f"{folder.root} says that it started at {record['started_at']}, in the future: "
                "the clock of its host was wrong, so its place among the runs is not known"
            )
            continue
        by_id.setdefault(record["run_id"], []).append(FoundRun(folder, record))
    found = []
    for run_id, copies in by_id.items():
        original, *others = sorted(copies, key=lambda one: one.folder.run_id != run_id)
        found.append(original)
        passed_over += [f"{one.folder.root} is a copy of run {run_id}" for one in others]
    found.sort(key=lambda one: (started(one.record), one.folder.run_id))
    return Runs(tuple(found), tuple(sorted(passed_over)))


def list_runs(results: Path) -> list[RunFolder]:
    """Return the folders of all runs in a results folder, oldest first; as ``read_runs``."""
    return read_runs(results).folders


def find_run(
    results: Path, name: str | None, notify: Callable[[str], None] = lambda _line: None
) -> RunFolder:
    """Find a run by id or path, or the latest one.

    Args:
        results: The results folder.
        name: Id, or path of the folder; None or ``latest`` for the newest.
        notify: Called with a line for each folder that was passed over on the way to the latest.

    Raises:
        RunFolderError: There is none such.
    """
    if name in (None, "latest"):
        runs = read_runs(results)
        for line in passed_over_lines(runs.passed_over):
            notify(line)
        if not runs.found:
            raise RunFolderError(
                f"no run in {results.resolve()}: make one with `perf-pipeline run`"
            )
        return runs.folders[-1]
    for path in (results / str(name), Path(str(name))):
        if _has_record(path):
            return RunFolder(_run_at(path).root.resolve())
        if is_unmerged(path):
            raise RunFolderError(unmerged_sentence(path))
    known = ", ".join(run.run_id for run in list_runs(results)[-5:]) or "none"
    raise RunFolderError(f"no run {name!r} in {results.resolve()} (latest runs: {known})")


def passed_over_lines(passed_over: Iterable[str]) -> list[str]:
    """Return the lines that name what was passed over; many are counted."""
    lines = [f"passed over: {sentence}" for sentence in passed_over]
    left = len(lines) - LINES_MAX
    if left <= 0:
        return lines
    return [*lines[:LINES_MAX], f"passed over: {left} more, which `perf-pipeline status` names"]


def _run_at(path: Path) -> RunFolder:
    """Return a folder as that of a run.

    Raises:
        RunFolderError: It is a link to a folder elsewhere, or its name cannot be a run's id.
    """
    if path.is_symlink():
        raise RunFolderError(f"{path} is a symbolic link: name the folder that it leads to")
    return RunFolder(path)


def _candidates(results: Path) -> list[Path]:
    """Return the folders that are called like a run or have a ``run.json``."""
    try:
        with os.scandir(results) as entries:
            folders = [results / entry.name for entry in entries if _is_folder(entry)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunFolderError(f"{results} cannot be read: {error.strerror}") from error
    return sorted(one for one in folders if RUN_ID.fullmatch(one.name) or _has_record(one))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _has_record(folder: Path) -> bool:
    """Return whether a folder has a ``run.json`` of any kind; False if that cannot be seen."""
    try:
        return os.path.lexists(folder / "run.json")
    except ValueError:  # NUL in the name
        return False
