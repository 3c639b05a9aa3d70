"""The runs of a load level in one setup as rows of plain text, with validity and main figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.analysis.history import HistoryPoint
    from perf_pipeline.analysis.setups import Setup


def history_rows(setup: Setup) -> list[dict[str, str]]:
    """Return one row of plain text for each run, newest first, with validity and samples."""
    numbered = list(enumerate(setup.series.points, start=1))
    return [_line(setup, position, point) for position, point in reversed(numbered)]


def _line(setup: Setup, position: int, point: HistoryPoint) -> dict[str, str]:
    series, differs = setup.series, setup.differences or setup.series.why_not(point)

    def shown(value: float | None, form: Callable[[float], str]) -> str:
        return quantity.NOT_MEASURED if value is None else form(value)

    p99, doubt = shown(point.value("p99_s"), quantity.seconds), point.doubt("p99_s")
    error_ratio = point.value("error_ratio")
    percent = None if error_ratio is None else 100 * error_ratio
    return {
        "level": escape.visible(series.key, length_max=160),
        "number": str(position),
        "run": escape.name(point.run_id),
        "validity": escape.name(point.validity),
        "comparable with the newest": ", ".join(differs) or "yes",
        "samples": quantity.count(point.samples),
        "version": escape.name(point.version),
        "throughput": shown(point.value("throughput_per_s"), quantity.rate),
        "average": shown(point.value("avg_s"), quantity.seconds),
        "p99": f"{p99} ({doubt})" if doubt else p99,
        "cpu per workflow": shown(point.value("cpu_per_workflow_s"), quantity.seconds),
        "memory": shown(point.value("memory_peak_mb"), quantity.megabytes),
        "errors": shown(percent, quantity.percent),
    }
