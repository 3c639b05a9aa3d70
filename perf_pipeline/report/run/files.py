"""Writes the files that a run leaves for people and programs, each atomically."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.schema_version import SCHEMA_VERSION
from perf_pipeline.report.comparison.compared_run import compared_answers
from perf_pipeline.report.run.markdown import render_markdown
from perf_pipeline.report.run.page import render_html
from perf_pipeline.report.run.result_file import write_result_files
from perf_pipeline.report.run.run_headline import write_headline
from perf_pipeline.samples.run_file import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.run_folder import RunFolder


@dataclass(frozen=True)
class ReportFiles:
    """Paths of the three files of the report.

    Attributes:
        html: For people.
        markdown: For a terminal or a merge request.
        json: For programs.
    """

    html: Path
    markdown: Path
    json: Path


def report_files(folder: Path) -> ReportFiles:
    """Return where the report of the run in ``folder`` is, or will be."""
    return ReportFiles(folder / "report.html", folder / "report.md", folder / "report.json")


def report_of(folder: RunFolder, metrics: RunMetrics) -> ReportFiles:
    """Return the report of a run: the stored one unless the metrics are newer, else a new one."""
    files = report_files(folder.root)
    if files.json.exists() and files.json.stat().st_mtime_ns >= folder.metrics.stat().st_mtime_ns:
        return files
    return write_files(folder, metrics)


def write_files(folder: RunFolder, metrics: RunMetrics) -> ReportFiles:
    """Write the report and the result files of a run."""
    write_result_files(folder.root.parent, metrics)
    return write_report(metrics, folder.root)


def write_report(metrics: RunMetrics, folder: Path) -> ReportFiles:
    """Write ``report.html``, ``.md`` and ``.json``, and ``headline.json``, into a run's folder.

    Each is written to a temporary file, flushed to the disk and renamed, so that a reader finds
    the complete old file or the complete new one, also after a crash.

    Args:
        metrics: The metrics of the run.
        folder: The run's folder; created if it is missing.

    Raises:
        OSError: The folder cannot be written to.
    """
    files = report_files(folder)
    folder.mkdir(parents=True, exist_ok=True)
    compared = compared_answers(folder.parent, metrics.run_id)
    write_atomically(files.html, render_html(metrics, compared).encode())
    write_atomically(files.markdown, render_markdown(metrics, compared).encode())
    write_headline(metrics, folder)
    write_atomically(files.json, render_json(metrics).encode())  # last: where it is, all are
    return files


def render_json(metrics: RunMetrics) -> str:
    """Return the metrics as JSON, with ``schema_version`` and ``not_finite``.

    JSON has no NaN and no infinity: such a value becomes null, and ``not_finite`` lists its path.
    """
    not_finite: list[str] = []
    plain = _plain(asdict(metrics), "", not_finite)
    whole = {"schema_version": SCHEMA_VERSION, "not_finite": not_finite, **plain}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def _plain(value: Any, place: str, not_finite: list[str]) -> Any:
    if isinstance(value, dict):
        return {
            str(key): _plain(inner, f"{place}.{key}".lstrip("."), not_finite)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(inner, f"{place}[{at}]", not_finite) for at, inner in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        not_finite.append(place)
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)
