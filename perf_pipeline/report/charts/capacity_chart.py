"""The curve of a search for capacity: time against throughput, one mark a step, and the knee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.level_drawing import HEIGHT, WIDTH, Figure

if TYPE_CHECKING:
    from perf_pipeline.analysis.capacity import CapacityFinding

_WORDS = ("met", "unclear", "not steady", "missed")
_COLOURS = [svg.THIRD, svg.FOURTH, svg.QUIET, svg.SECOND]
DECADE = 10
WIDE = 1.9
"""Times the width of a chart of a level: this one stands alone."""


def curve(finding: CapacityFinding) -> Figure | None:
    """Draw mean time in the system against throughput; nothing without two steps that ended any.

    Both are those of Little's law: workflows that ended, well or not, and the time since they
    entered the system.
    """
    rows = _rows(finding)
    if len(rows) < 2:  # noqa: PLR2004 - one point is no curve
        return None
    base = alt.Chart({"values": rows}).encode(
        x=alt.X("per_s:Q", title="workflows ended a second", scale=alt.Scale(zero=True),
            axis=alt.Axis(tickCount=6)),
        y=time_axis([row["time_s"] for row in rows]),
    )  # fmt: skip
    line = base.mark_line(strokeWidth=1.2, color=svg.QUIET).encode(order=alt.Order("order:Q"))
    dots = base.mark_point(size=60, filled=True, opacity=1).encode(
        color=alt.Color("word:N", scale=alt.Scale(domain=list(_WORDS), range=_COLOURS))
    )
    names = base.mark_text(align="right", dx=-7, fontSize=10, color="currentColor").encode(
        text="load:N"
    )
    layers = [*_knee(finding), line, dots, names]
    chart = alt.LayerChart(layer=layers).properties(width=WIDE * WIDTH, height=1.6 * HEIGHT)
    title = "Time against throughput, one mark a step"
    note = "Each mark has its load beside it, and is joined to the next greater load."
    if finding.knee is not None and finding.knee.is_reached:
        note += " The bars meet at the knee: the least time, and the greatest throughput."
    said = "; ".join(
        f"{row['load']}: {row['per_s']:.4g}/s, {row['time_s']:.4g} s, {row['word']}" for row in rows
    )
    drawn = svg.inline_svg(chart, name="capacity", description=f"{title}. {said}.")
    return Figure(title, drawn, note)


def time_axis(times_s: list[float]) -> alt.Y:
    """Return an axis that starts at 0, so that 2 % do not look like a climb.

    Only times that are a decade apart or more are drawn on a logarithmic one, which says so.
    """
    if max(times_s) < DECADE * min(times_s):
        title, scale = "mean time, s", alt.Scale(zero=True)
    else:
        title, scale = "mean time, s (logarithmic)", alt.Scale(type="log", nice=False)
    return alt.Y("time_s:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5, format=",.4~r"))


def _rows(finding: CapacityFinding) -> list[dict[str, Any]]:
    """Return the last playing of every load at which workflows ended, by load."""
    last = {point.load: point for point in finding.points if point.little is not None}
    return [
        {
            "per_s": point.little.ended_per_s,
            "time_s": point.little.time_s,
            "word": "not steady" if point.word == "not_measured" else point.word.replace("_", " "),
            "load": f"{load:.4g}",
            "order": load,
        }
        for load, point in sorted(last.items())
        if point.little is not None
    ]


def _knee(finding: CapacityFinding) -> list[alt.Chart]:
    if finding.knee is None or not finding.knee.is_reached:
        return []
    rows = [{"per_s": finding.knee.per_s, "time_s": finding.knee.time_s}]
    rule = alt.Chart({"values": rows}).mark_rule(strokeDash=[4, 4], color=svg.QUIET)
    return [rule.encode(x=alt.X("per_s:Q")), rule.encode(y=alt.Y("time_s:Q"))]
