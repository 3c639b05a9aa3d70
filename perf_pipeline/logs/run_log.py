"""The logs of a run: where their files are, and what each of their lines says of the run."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from perf_pipeline.logs.log import FOLDER, LogContext
from perf_pipeline.logs.trace import trace_id

if TYPE_CHECKING:
    from pathlib import Path


def run_log_context(folder: Path, scenario: str) -> LogContext:
    """Return what the processes of a run log with.

    Args:
        folder: The run's folder, or a campaign's; its name is the run's id.
        scenario: Its name.
    """
    return LogContext(
        folder=str((folder / FOLDER).absolute()),
        version=version("perf-pipeline"),
        trace_id=trace_id(folder.name),
        labels={"run_id": folder.name, "scenario": scenario},
    )


def fault_id(kind: str, number: int) -> str:
    """Return the id of a failure within its level: its kind, and its place in the scenario."""
    return f"{kind}-{number}"
