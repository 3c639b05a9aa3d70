"""The folder of a run: where its files are, and whether the run still goes on.

RUN/run.json               the record of the run's status
RUN/.run.lock              locked by the run's process for its life
RUN/manifest.json          what ran, where, with which versions
RUN/plan.json              the levels that will be played
RUN/levels/00-100/         one folder a level: level.json, resources.jsonl, histograms.bin
                           (derived) and, for each worker, journal, slot file, plan and log
RUN/records.parquet        all records, derived from the journals; a folder, with a file a shard,
                           of a run in shards
RUN/steps.parquet          all steps and counts of workflows, where there are any; likewise
RUN/shards/000/RUN         of a run in shards, what each shard left; the rest is merged from it
RUN/metrics.json, report.html, report.md, report.json, headline.json
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.names import check_names, name_problem
from perf_pipeline.errors import RunFolderError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.redaction.redact import redacted_values
from perf_pipeline.samples.run_file import read_file, write_atomically
from perf_pipeline.samples.run_record import RUNNING, record_of, with_liveness

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_record import RunRecord

INTENDED = "intended.int64"
"""File of an open level: when each workflow should start, ns after the go, little-endian."""


STREAMS = "streams.int64"
"""File of an open level with several streams: the index of each workflow's stream."""

CONTROL = "control"
"""Folder of an open level: the same arrivals on workflows that do nothing."""


def new_run_id(now: datetime) -> str:
    """Return a run's id: ``20241201_120000-4f2c``; sorts by time, and is unique."""
    return f"{now:%Y%m%d_%H%M%S}-{secrets.token_hex(2)}"


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as JSON, atomically. NaN and infinity are refused: they are not JSON.

    Passwords are removed from its sentences, which may repeat what a driver or a target said.
    """
    text = json.dumps(redacted_values(value), indent=1, allow_nan=False)
    write_atomically(path, text.encode() + b"\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run.

    Raises:
        RunFolderError: It is missing or not JSON; the text names it.
    """
    try:
        return json.loads(read_file(path).decode())
    except FileNotFoundError as error:
        raise RunFolderError(
            f"{path} is missing: the path is wrong, or the run ended before it was written"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise RunFolderError(f"{path} cannot be read as JSON: {error}") from error


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
    def steps(self) -> Path:
        """File of the steps; only where workflows have steps."""
        return self.root / "steps.parquet"

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

    def make(self) -> None:
        """Make the folder, for the run that is about to begin.

        Raises:
            FileExistsError: The folder exists: a run never writes over another.
        """
        (self.root / "levels").mkdir(parents=True)

    def remove_unless_begun(self) -> None:
        """Remove the folder of a run that has not begun; nothing if there is none."""
        if not self.status_file.exists():
            shutil.rmtree(self.root, ignore_errors=True)

    def begin(self, scenario: str, *, is_made: bool = False) -> None:
        """Make the folder and record that this process runs it.

        Args:
            scenario: Its name.
            is_made: This process has made the folder.

        Raises:
            FileExistsError: The folder exists: a run never writes over another.
        """
        if not is_made:
            self.make()
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
        """Return the record of the run, with the status that it has by now.

        A run whose process is gone is ``killed``, in whichever container of this host it was;
        whether one of another host still runs may not be seen from here.

        Raises:
            RunFolderError: It is missing, or not a record.
        """
        record = record_of(read_json(self.status_file), self.status_file)
        return with_liveness(record, self.root)
