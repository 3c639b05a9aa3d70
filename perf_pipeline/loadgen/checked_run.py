"""A checked scenario and its environments, handed to the process that runs it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.loadgen.environment.environment import TargetEnvironment
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class CheckedRun:
    """A load run that may start.

    Attributes:
        run_id: The run.
        scenario: Opened and checked, with its flags.
        environments: Target to its environment, of the targets in which the user's own functions
            have been tried.
        results_dir: Folder of the runs; None where no worker is started ahead.
    """

    run_id: str
    scenario: Scenario
    environments: dict[str, TargetEnvironment]
    results_dir: Path | None = None

    def to_json(self) -> bytes:
        """Return it as the content of a file for ``read_checked_run``."""
        return json.dumps({"schema_version": SCHEMA_VERSION, **asdict(self)}, default=str).encode()


def read_checked_run(path: Path) -> CheckedRun:
    """Read a checked run, equal to the one that was written.

    Raises:
        RunFolderError: The file is not a checked run.
    """
    return read_typed(path, CheckedRun, SCHEMA_VERSION, Path.read_bytes)
