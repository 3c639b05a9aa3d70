"""The report of a run, written by a thread while its asker still shows the metrics.

The thread mostly waits for charts, which another process draws; whoever writes the report next
waits for what is left of it.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from perf_pipeline.report.run.files import ReportFiles, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.run_folder import RunFolder

_begun: dict[Path, Future[ReportFiles]] = {}


def begin_files(folder: RunFolder, metrics: RunMetrics) -> None:
    """Begin to write the report and the result files of a run."""
    writer = ThreadPoolExecutor(1)
    _begun[folder.root] = writer.submit(write_files, folder, metrics)
    writer.shutdown(wait=False)


def finish_files(folder: RunFolder, metrics: RunMetrics) -> ReportFiles:
    """Write the report and the result files of a run, or what is left to write of them.

    Raises:
        OSError: The folder cannot be written to.
    """
    begun = _begun.pop(folder.root, None)
    return write_files(folder, metrics) if begun is None else begun.result()
