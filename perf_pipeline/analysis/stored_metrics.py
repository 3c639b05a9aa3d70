"""The metrics of a run as whoever shows them needs them: stored, and measured where they are not.

Reading them takes neither numpy nor polars, which measuring does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.samples.run_record import MAY_GO_ON

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.run_folder import RunFolder


def metrics_of(folder: RunFolder) -> RunMetrics:
    """Return the metrics of a run: those that are stored, else measured now and stored.

    Of a run that goes on, or has gone on since its metrics were stored, they are measured anew;
    while it goes on nothing is stored.

    Raises:
        RunFolderError: The folder does not hold a run, or a file of it cannot be read.
    """
    status = folder.read_status()["status"]
    if status in MAY_GO_ON:
        from perf_pipeline.analysis.measure import measure_run  # noqa: PLC0415 - numpy and polars

        return measure_run(folder)
    if folder.metrics.exists():
        stored = read_metrics(folder)
        if stored.status == status:
            # In a copy as well: the names of result files are made of it.
            return replace(stored, run_id=folder.run_id)
    from perf_pipeline.analysis.measure import measure  # noqa: PLC0415 - numpy and polars

    return measure(folder)
