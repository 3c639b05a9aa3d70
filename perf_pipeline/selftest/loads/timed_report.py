"""``python -m perf_pipeline.selftest.loads.timed_report RUN``: from records to report, timed.

Prints one JSON object: how many records were measured, and the seconds from the start of the
analysis to the metrics and to the report. The process has imported what a run has imported by
then; what is imported for the first time to draw the report counts.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from perf_pipeline.analysis.measure import measure
from perf_pipeline.report.charts.drawing_process import drawing_ahead
from perf_pipeline.report.run.files import write_files
from perf_pipeline.samples.run_folder import RunFolder


def main(folder: RunFolder) -> None:
    """Measure and report the run in ``folder``."""
    began_s = time.monotonic()
    with drawing_ahead():  # as a run does
        metrics = measure(folder)
        measured_s = time.monotonic() - began_s
        write_files(folder, metrics)
    taken = {
        "records": sum(sum(level.outcomes.values()) for level in metrics.levels),
        "metrics_s": measured_s,
        "report_s": time.monotonic() - began_s,
    }
    print(json.dumps(taken))  # noqa: T201


if __name__ == "__main__":
    main(RunFolder(Path(sys.argv[1])))
