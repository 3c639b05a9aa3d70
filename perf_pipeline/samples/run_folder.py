"""The folder of a run: where its files are, and whether the run still goes on.

RUN/run.json               the record of the run's status
RUN/manifest.json          what ran, where, with which versions
RUN/plan.json              the levels that will be played
RUN/levels/00-100/         one folder a level: level.json, resources.jsonl, histograms.bin
                           (derived) and, for each worker, journal, slot file, plan and log
RUN/records.parquet        all records, derived from the journals
RUN/metrics.json, report.html, report.md, report.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from perf_pipeline.config.names import check_names, name_problem
from perf_pipeline.errors import RunFolderError
from perf_pipeline.lifeline import own_stamp, stamp
from perf_pipeline.samples.run_file import read_file, write_atomically

RUNNING, COMPLETE, INTERRUPTED, FAILED, KILLED = (
    "running",
    "complete",
    "interrupted",
    "failed",
    "killed",
)


INTENDED = "intended.int64"
"""File of an open level: when each workflow should start, ns after the go, little-endian."""


CONTROL = "control"
"""Folder of an open level: the same arrivals on workflows that do nothing."""


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as JSON, atomically. NaN and infinity are refused: they are not JSON."""
    write_atomically(path, json.dumps(value, indent=1, allow_nan=False).encode() + b"\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run.

    Raises:
        RunFolderError: It is missing or not JSON; the text names it.
    """
    try:
        return json.loads(read_file(path).decode())
    except FileNotFoundError as error:
        raise RunFolderError(f"{path} is missing: this run did not get that far") from error
    except (OSError, ValueError, RecursionError) as error:
        raise RunFolderError(f"{path} cannot be read as JSON: {error}") from error


class StoppedRecord(TypedDict):
    """How the scenario ended a run before its last level, as ``manifest.Stopped`` has it."""

    level: str
    because: str
    detail: str
    not_run: list[str]


class RunRecord(TypedDict):
    """The content of ``run.json``: status is of the closed list above, times are ISO 8601 UTC."""

    run_id: str
    scenario: str
    status: str
    process: tuple[int, int, str]
    started_at: str
    why: NotRequired[str]
    ended_at: NotRequired[str]
    stopped: NotRequired[StoppedRecord]


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run.

    Attributes:
        root: The folder; its name is the run's id.

    Raises:
        RunFolderError: That name cannot be one: names of files and servers are made of it.
    """

    root: Path

    def __post_init__(self) -> None:
        if problem := name_problem("run id", self.root.name):
            raise RunFolderError(f"{problem}: rename the folder, or name another run")

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.root.name

    @property
    def manifest(self) -> Path:
        """Path of the manifest."""
        return self.root / "manifest.json"

    @property
    def metrics(self) -> Path:
        """Path of the stored metrics."""
        return self.root / "metrics.json"

    @property
    def records(self) -> Path:
        """Path of all records, as Parquet."""
        return self.root / "records.parquet"

    @property
    def status_file(self) -> Path:
        """Path of the record of the run's status."""
        return self.root / "run.json"

    def level_folders(self) -> list[Path]:
        """Return the folders of the levels that were begun, in order.

        Raises:
            RunFolderError: One is a link, or its name cannot be a level's.
        """
        levels = self.root / "levels"
        folders = sorted(path.parent for path in levels.glob("*/level.json"))
        check_names(levels, (("level name", folder.name) for folder in folders))
        for folder in (levels, *folders):
            if folder.is_symlink():
                raise RunFolderError(f"{folder} is a symbolic link, which no folder of a run is")
        return folders

    def begin(self, scenario: str) -> None:
        """Make the folder and record that this process runs it.

        Raises:
            FileExistsError: The folder exists: a run never writes over another.
        """
        (self.root / "levels").mkdir(parents=True)
        status = {
            "run_id": self.run_id,
            "scenario": scenario,
            "status": RUNNING,
            "process": list(own_stamp()),
            "started_at": datetime.now(UTC).isoformat(),
        }
        write_json(self.status_file, status)

    def end(self, status: str, why: str = "", stopped: dict[str, Any] | None = None) -> None:
        """Record how the run ended.

        Args:
            status: One of the closed list.
            why: A sentence; may be empty.
            stopped: How its scenario ended it before its last level.
        """
        record = read_json(self.status_file)
        record.update(status=status, why=why, ended_at=datetime.now(UTC).isoformat())
        if stopped:
            record["stopped"] = stopped
        write_json(self.status_file, record)

    def read_status(self) -> RunRecord:
        """Return the record of the run; a run whose process is gone is ``killed``.

        Raises:
            RunFolderError: It is missing, or not a record.
        """
        record: RunRecord = read_json(self.status_file)
        if not isinstance(record, dict) or not {"run_id", "status", "process"} <= set(record):
            raise RunFolderError(f"{self.status_file} is not the record of a run")
        if record["status"] == RUNNING:
            owner = record["process"]
            if stamp(owner[0]) != tuple(owner):
                record["status"] = KILLED
                record["why"] = f"its process {owner[0]} is gone without a record of its end"
        return record


def list_runs(results: Path) -> list[RunFolder]:
    """Return all runs in a results folder, oldest first.

    A folder whose name cannot be a run's id, and a link to a folder elsewhere, is passed over.
    """
    folders = (path.parent for path in results.glob("*/run.json"))
    runs = [RunFolder(one) for one in folders if not not_listed(one)]
    return sorted(runs, key=lambda run: run.run_id)


def not_listed(folder: Path) -> str:
    """Return why a folder in a results folder is not listed as a run; empty if it is."""
    if folder.is_symlink():
        return f"{folder} is a symbolic link: name the folder that it leads to"
    return name_problem("run id", folder.name)


def read_runs(results: Path) -> tuple[list[RunRecord], list[str]]:
    """Read the records of all runs in a results folder, oldest first.

    Returns:
        The records, and a line for each run whose record cannot be read: one damaged file must
        not hide the others.
    """
    found = (not_listed(path.parent) for path in sorted(results.glob("*/run.json")))
    records, problems = [], [why for why in found if why]
    for folder in list_runs(results):
        try:
            records.append(folder.read_status())
        except RunFolderError as error:
            problems.append(str(error))
    return records, problems


def find_run(results: Path, name: str | None) -> RunFolder:
    """Find a run by id or path, or the latest one.

    Args:
        results: The results folder.
        name: Id, or path of the folder; None or ``latest`` for the newest.

    Raises:
        RunFolderError: There is none such.
    """
    if name in (None, "latest"):
        runs = list_runs(results)
        if not runs:
            raise RunFolderError(
                f"no run in {results.resolve()}: make one with `perf-pipeline run`"
            )
        return runs[-1]
    for path in (results / str(name), Path(str(name))):
        if _is_file(path / "run.json"):
            if path.is_symlink():
                raise RunFolderError(not_listed(path))
            return RunFolder(path.resolve())
    known = ", ".join(run.run_id for run in list_runs(results)[-5:]) or "none"
    raise RunFolderError(f"no run {name!r} in {results.resolve()} (latest runs: {known})")


def _is_file(path: Path) -> bool:
    """Return whether a file is there; a text that cannot be a path names none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
