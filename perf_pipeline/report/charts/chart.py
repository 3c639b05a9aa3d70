"""A chart of the report: the drawing with the text beside it, and the look of its lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.report.charts import vega

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH = 330
HEIGHT = 150
TOP = vega.constant(0)
"""The upper edge of a chart."""

PERCENTILES_DRAWN = {0.5: "p50", 0.9: "p90", 0.99: "p99"}
"""Of those in the tables: the lines and names of more would cover each other."""

LEGEND_COLUMNS = 3
DASHES = [[1, 0], [7, 2], [2, 2], [7, 2, 2, 2], [12, 3], [4, 4]]


@dataclass(frozen=True)
class Chart:
    """A drawing with its caption.

    Attributes:
        title: The quantity that is drawn, with its unit.
        svg: The drawing.
        note: How to read the drawing.
        points: The values that are drawn, as JSON, for the page's read-out under the pointer;
            empty for a chart without read-out.
    """

    title: str
    svg: Markup
    note: str = ""
    points: str = ""


def series_colour(names: list[str], colours: list[str]) -> vega.Json:
    """Return one colour for each series, with a legend when there are several."""
    scale = vega.scale(domain=names, range=colours[: len(names)])
    return vega.channel("series:N", scale=scale, legend=_legend(names))


def series_dash(names: list[str]) -> vega.Json:
    """Return one dash pattern for each series, so that lines differ without their colours."""
    patterns = [DASHES[place % len(DASHES)] for place in range(len(names))]
    scale = vega.scale(domain=names, range=patterns)
    return vega.channel("series:N", scale=scale, legend=_legend(names))


def _legend(names: list[str]) -> Any:
    return (
        vega.legend(title=None, symbolType="stroke", symbolSize=260, columns=LEGEND_COLUMNS)
        if len(names) > 1
        else None
    )
