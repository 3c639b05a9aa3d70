"""The chart of a capacity search: time against throughput, one mark for each step, and the knee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.chart import HEIGHT, WIDTH, Chart

if TYPE_CHECKING:
    from perf_pipeline.analysis.capacity import CapacityFinding

_VERDICTS = ("met", "unclear", "not steady", "missed")
_COLOURS = [svg.THIRD, svg.FOURTH, svg.QUIET, svg.SECOND]
DECADE = 10
WIDTH_RATIO = 1.9
"""Width of this chart relative to those of a load level, which are shown side by side."""


def curve(finding: CapacityFinding) -> Chart | None:
    """Draw mean time in the system against throughput; None unless workflows ended in two steps.

    Both are the terms of Little's law: workflows that ended, whatever their outcome, and the
    time since they entered the system.
    """
    rows = _rows(finding)
    if len(rows) < 2:  # noqa: PLR2004 - one point is no curve
        return None
    base = vega.Chart(rows).encoded(
        x=vega.channel("per_s:Q", title="workflows ended per second", scale=vega.scale(zero=True),
            axis=vega.axis(tickCount=6)),
        y=time_axis([row["time_s"] for row in rows]),
    )  # fmt: skip
    line = base.marked("line", strokeWidth=1.2, color=svg.QUIET).encoded(
        order=vega.channel("order:Q")
    )
    dots = base.marked("point", size=60, filled=True, opacity=1).encoded(
        color=vega.channel("verdict:N", scale=vega.scale(domain=list(_VERDICTS), range=_COLOURS))
    )
    names = base.marked("text", align="right", dx=-7, fontSize=10, color="currentColor").encoded(
        text=vega.channel("load:N")
    )
    layers = [*_knee(finding), line, dots, names]
    chart = vega.layered(layers, width=WIDTH_RATIO * WIDTH, height=1.6 * HEIGHT)
    title = "Time against throughput, one mark for each step"
    note = "Each mark is labelled with its load and joined to the next higher load."
    if finding.knee is not None and finding.knee.is_reached:
        note += " The dashed lines meet at the knee: lowest mean time, highest throughput."
    values = "; ".join(
        f"{row['load']}: {row['per_s']:.4g}/s, {row['time_s']:.4g} s, {row['verdict']}"
        for row in rows
    )
    drawn = svg.inline_svg(chart, name="capacity", description=f"{title}. {values}.")
    return Chart(title, drawn, note)


def time_axis(times_s: list[float]) -> vega.Json:
    """Return a time axis that starts at 0, so that a difference of 2 % looks like one.

    Times that span a decade or more are drawn on a logarithmic axis, and its title says so.
    """
    if max(times_s) < DECADE * min(times_s):
        title, scale = "mean time, s", vega.scale(zero=True)
    else:
        title, scale = "mean time, s (logarithmic)", vega.scale(type="log", nice=False)
    return vega.channel(
        "time_s:Q", title=title, scale=scale, axis=vega.axis(tickCount=5, format=",.4~r")
    )


def _rows(finding: CapacityFinding) -> list[dict[str, Any]]:
    """Return the last step at every load at which workflows ended, in the order of the loads."""
    last = {point.load: point for point in finding.points if point.little is not None}
    return [
        {
            "per_s": point.little.ended_per_s,
            "time_s": point.little.time_s,
            "verdict": (
                "not steady" if point.verdict == "not_measured" else point.verdict.replace("_", " ")
            ),
            "load": f"{load:.4g}",
            "order": load,
        }
        for load, point in sorted(last.items())
        if point.little is not None
    ]


def _knee(finding: CapacityFinding) -> list[vega.Chart]:
    if finding.knee is None or not finding.knee.is_reached:
        return []
    rows = [{"per_s": finding.knee.per_s, "time_s": finding.knee.time_s}]
    rule = vega.Chart(rows).marked("rule", strokeDash=[4, 4], color=svg.QUIET)
    return [rule.encoded(x=vega.channel("per_s:Q")), rule.encoded(y=vega.channel("time_s:Q"))]
