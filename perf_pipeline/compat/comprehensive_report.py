"""``comprehensive_report_<timestamp>.md``: several runs in one file; ``make report`` writes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.program import run_program
from perf_pipeline.report.run.result_file import TIMESTAMP_LENGTH
from perf_pipeline.samples.run_file import write_atomically
from perf_pipeline.samples.run_list import list_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

LATEST = 5


def write_comprehensive_report(results: Path, run_id: str, reports: Sequence[str]) -> Path:
    """Write the reports of several runs, one after the other; returns the file.

    Args:
        results: Folder of the runs.
        run_id: The newest of them: the file is named by its time.
        reports: Markdown of each, oldest first.
    """
    path = results / f"comprehensive_report_{run_id[:TIMESTAMP_LENGTH]}.md"
    write_atomically(path, "\n\n".join(reports).encode())
    return path


def report_latest(results: Path, count: int = LATEST) -> Path:
    """Write one file of the latest runs' reports; one without says so.

    Raises:
        RunFolderError: There is no run.
    """
    runs = list_runs(results)[-count:]
    if not runs:
        raise RunFolderError(f"no run in {results.absolute()}: make one with `make test-quick`")
    reports = []
    for run in runs:
        path = run.root / "report.md"
        missing = f"# Run {run.run_id}\n\nIt has no report: `perf-pipeline report {run.run_id}`\n"
        reports.append(path.read_text(encoding="utf-8") if path.exists() else missing)
    return write_comprehensive_report(results, runs[-1].run_id, reports)


def main(arguments: Sequence[str]) -> int:
    """Write one file of the latest runs' reports in a results folder; return the exit code."""
    try:
        print(f"the latest runs in one: {report_latest(Path(arguments[0]))}")  # noqa: T201
    except RunFolderError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return Exit.BAD_INPUT
    return Exit.COMPLETE


if __name__ == "__main__":
    run_program(main)
