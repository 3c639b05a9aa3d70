"""The command detect: the change points of the series in a file."""

from __future__ import annotations

import json
import time
from pathlib import Path  # noqa: TC003 typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.analysis.change_points.drift import find_drift
from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.analysis.change_points.series_file import read_series
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import NoResults, bad_input_explained
from perf_pipeline.redaction.redact import redacted_values
from perf_pipeline.report.text.quantity import counted, significant

if TYPE_CHECKING:
    from perf_pipeline.analysis.change_points.change_point import ChangePoint
    from perf_pipeline.analysis.change_points.drift import Drift
    from perf_pipeline.analysis.change_points.series_file import NamedSeries


def detect(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="JSON lines with name, value (a list of numbers) and perhaps unit; or CSV with a "
            "header: columns name and value, or a column a series.",
        ),
    ],
    results: NoResults = None,  # noqa: ARG001 refused when given
    as_json: Annotated[  # noqa: FBT002 typer's way of a flag
        bool, typer.Option("--json", help="Print one JSON object a line for each series instead.")
    ] = False,
) -> None:
    """Find the change points of series in a file: confirmed ones, and the fast tier's warnings.

    Fast change points are the confirmed ones and a new level that the last values alone show.
    """
    with bad_input_explained(as_json=as_json):
        found = read_series(file)
        for series in found:
            started_s = time.perf_counter()
            change_points = find_change_points(series.values)
            elapsed_ms = 1e3 * (time.perf_counter() - started_s)
            if as_json:
                print(json.dumps(redacted_values(_row(series.name, change_points, elapsed_ms))))  # noqa: T201
            else:
                for line in lines(series, change_points, find_drift(series.values, change_points)):
                    show(line, as_json=False)


def _row(name: str, change_points: tuple[ChangePoint, ...], elapsed_ms: float) -> dict[str, Any]:
    confirmed = [_shown(one) for one in change_points if one.tier == "confirmed"]
    return {
        "name": name,
        "change_points": confirmed,
        "fast_change_points": [_shown(one) for one in change_points],
        "milliseconds": round(elapsed_ms, 3),
    }


def _shown(point: ChangePoint) -> dict[str, Any]:
    interval = None if point.effect is None else [point.low, point.high]
    return {"index": point.index, "effect": point.effect, "interval": interval}


def lines(
    series: NamedSeries, change_points: tuple[ChangePoint, ...], drift: Drift | None
) -> list[str]:
    """Return a series as lines for people: its change points, and where it drifts."""
    found = counted(len(change_points), "change point") if change_points else "no change point"
    text = [f"{series.name}: {found} in {counted(len(series.values), 'value')}"]
    for point in change_points:
        tier = "" if point.tier == "confirmed" else ", not confirmed yet"
        text.append(f"  new level from value {point.index} on, {_ratio(point)}{tier}")
    if drift is not None:
        text.append(f"  drifts since value {drift.start}: {_ratio(drift)} from start to end")
    return text


def _ratio(of: ChangePoint | Drift) -> str:
    """Return a ratio with its interval."""
    if of.effect is None or of.low is None or of.high is None:
        return "of another sign"
    low, high = significant(of.low, 4), significant(of.high, 4)
    return f"x {significant(of.effect, 4)} (95 % interval {low} to {high})"
