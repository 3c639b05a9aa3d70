"""Forest plot of a comparison: each effect with its interval, what is worse to the left of 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.chart import LEGEND_COLUMNS, Chart
from perf_pipeline.report.text import changes as words
from perf_pipeline.report.text import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.comparison import Change, Effect

ROWS_MAX = 24
"""Effects in one plot, those that matter most; the table has all."""

FOREST_WIDTH = 430
ROW_HEIGHT = 31
MIN_REACH = 5.0
"""The axis extends at least this far to both sides, so that 1 % does not look like a collapse."""

MAX_REACH = 50.0
"""Further out an interval is cut, which an arrow shows: one outlier would flatten all others."""

NOTE = (
    "Left of 0 is worse, whatever the metric. A line is the interval, corrected for the number of "
    "metrics; an arrow shows that it goes on."
)
NAME_LENGTH_MAX = 52
"""Characters of the name of a row: with the effect and its interval it is as wide as the plot."""

_LOOKS = {
    "regression": (svg.SECOND, "square"),
    "unstable": (svg.FOURTH, "diamond"),
    "improvement": (svg.THIRD, "circle"),
    "no change": (svg.QUIET, "circle"),
}


class _Title(NamedTuple):
    name: str
    axis: str


_TITLES: dict[Effect, _Title] = {
    "ratio": _Title("Effects, % of the baseline", "%"),
    "difference": _Title("Effects on shares, percentage points", "points"),
}


def forest_charts(changes: Sequence[Change]) -> tuple[Chart, ...]:
    """Draw the effects that were judged: ratios in one plot, differences in another.

    Args:
        changes: Those that matter most first.
    """
    known = [one for one in changes if one.effect is not None and one.verdict != "no_data"]
    by_kind = ((kind, [one for one in known if one.kind == kind]) for kind in _TITLES)
    return tuple(_forest(kind, found) for kind, found in by_kind if found)


def _forest(kind: Effect, changes: Sequence[Change]) -> Chart:
    title, unit = _TITLES[kind]
    drawn = changes[:ROWS_MAX]
    ends = [words.better_percent(one, end) for one in drawn for end in _ends(one)]
    low = max(min([-MIN_REACH, *(1.08 * end for end in ends)]), -MAX_REACH)
    high = min(max([MIN_REACH, *(1.08 * end for end in ends)]), MAX_REACH)
    rows = [_row(place, one, low, high) for place, one in enumerate(drawn)]
    chart = vega.layered(
        _layers(rows, low, high, unit), width=FOREST_WIDTH, height=ROW_HEIGHT * len(rows)
    )
    left_out = len(changes) - len(drawn)
    note = NOTE
    if left_out:
        note += f" Not drawn: {quantity.counted(left_out, 'effect')} of less weight."
    told = "; ".join(str(row["text"]) for row in rows)
    drawing = svg.inline_svg(chart, name=f"forest-{kind}", description=f"{title}. {told}")
    return Chart(title, drawing, note)


def _ends(change: Change) -> list[float]:
    return [end for end in (change.low, change.effect, change.high) if end is not None]


def _row(place: int, change: Change, low: float, high: float) -> dict[str, Any]:
    ends = [words.better_percent(change, end) for end in _ends(change)]
    effect = words.better_percent(change, change.effect or 0.0)
    lowest, highest = min(ends), max(ends)
    named = shortened(f"{words.metric_name(change.metric)} {words.where(change)}")
    shown = words.effect_text(change.effect or 0.0, change.kind)
    interval = words.interval_text(change)
    return {
        "row": place,
        "low": _within(lowest, low, high),
        "high": _within(highest, low, high),
        "effect": _within(effect, low, high),
        "is_drawn": low <= effect <= high,
        "beyond_low": lowest < low,
        "beyond_high": highest > high,
        "verdict": change.verdict.replace("_", " "),
        "text": f"{named}: {shown}" + (f" ({interval})" if interval else ""),
    }


def shortened(name: str) -> str:
    """Return the name of a row as far as it fits; an ellipsis shows the cut."""
    return name if len(name) <= NAME_LENGTH_MAX else f"{name[: NAME_LENGTH_MAX - 1]}…"


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _layers(rows: list[dict[str, Any]], low: float, high: float, unit: str) -> list[vega.Chart]:
    verdicts = [name for name in _LOOKS if any(row["verdict"] == name for row in rows)]
    colours, shapes = zip(*(_LOOKS[name] for name in verdicts), strict=True)
    legend = vega.legend(title=None, columns=LEGEND_COLUMNS)
    down = vega.scale(domain=[-0.75, len(rows) - 0.45], reverse=True, nice=False)
    axis = vega.axis(tickCount=7, labelExpr=f"abs(datum.value) + ' {unit}'", grid=True)
    base = vega.Chart(rows).encoded(
        x=vega.channel(
            "low:Q",
            title="← worse · better →",
            scale=vega.scale(domain=[low, high], nice=False),
            axis=axis,
        ),
        y=vega.channel("row:Q", scale=down, axis=None),
        color=vega.channel(
            "verdict:N",
            scale=vega.scale(domain=verdicts, range=list(colours)),
            legend=legend,
        ),
    )
    shape = vega.channel(
        "verdict:N", scale=vega.scale(domain=verdicts, range=list(shapes)), legend=legend
    )
    drawn = base.with_rows([row for row in rows if row["is_drawn"]])
    points = drawn.marked("point", size=46, filled=True, opacity=1)
    zero = vega.Chart([{"low": 0}]).marked("rule", color=svg.QUIET, strokeWidth=1)
    text = vega.Chart(rows).marked(
        "text", align="left", baseline="bottom", dy=-5, fontSize=11, color="currentColor"
    )
    return [
        zero.encoded(x=vega.channel("low:Q")),
        base.marked("rule", strokeWidth=2).encoded(x2=vega.channel("high")),
        points.encoded(x=vega.channel("effect:Q"), shape=shape),
        *(
            _arrows([row for row in rows if row[f"beyond_{end}"]], end, shown)
            for end, shown in (("low", "triangle-left"), ("high", "triangle-right"))
        ),
        text.encoded(x=vega.constant(0), y=vega.channel("row:Q"), text=vega.channel("text:N")),
    ]


def _arrows(rows: list[dict[str, Any]], end: str, shape: str) -> vega.Chart:
    arrows = vega.Chart(rows).marked(
        "point", shape=shape, size=40, filled=True, opacity=1, color=svg.QUIET
    )
    return arrows.encoded(x=vega.channel(f"{end}:Q"), y=vega.channel("row:Q"))
