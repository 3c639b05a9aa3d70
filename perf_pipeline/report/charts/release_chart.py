"""The history of a target over its releases: CPU time per workflow, one mark a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.history import MetricKey
from perf_pipeline.analysis.release_history import METRIC
from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.chart import HEIGHT, WIDTH, Chart
from perf_pipeline.report.text import escape, quantity

if TYPE_CHECKING:
    from perf_pipeline.analysis.release_history import MeasuredRelease, ReleaseHistory

NOTE = (
    "Filled: a valid measurement that compares with the newest run, with its 95 % interval; "
    "hollow: another one. Releases are in the order of their versions; those between that were "
    "not measured are left out. A dashed line stands at the first release of a new level, "
    "grey where few releases show it yet."
)
_CPU = MetricKey(METRIC)
_COUNTS, _OTHER = "counts", "other"
_WIDTH_EACH = 34
_LEVEL_LABELS_MAX = 12
"""Labels of more releases would touch each other unless they are turned."""


def release_chart(history: ReleaseHistory) -> Chart | None:
    """Draw the CPU time per workflow of each release; None unless it was measured in two."""
    measured = [one for one in history.releases if one.point.value(_CPU.metric) is not None]
    if len(measured) < 2:  # noqa: PLR2004 - one point is no history
        return None
    rows = [_row(at, one) for at, one in enumerate(measured)]
    angle = -60 if len(rows) > _LEVEL_LABELS_MAX else 0
    names = [row["release"] for row in rows]
    x = vega.channel(
        "release:N",
        title="release",
        scale=vega.scale(domain=names),
        axis=vega.axis(labelAngle=angle),
    )
    layers = _steps(history)
    layers += _layers([row for row in rows if row["mark"] == _COUNTS], filled=True)
    layers += _layers([row for row in rows if row["mark"] == _OTHER], filled=False)
    width = max(WIDTH, _WIDTH_EACH * len(rows))
    chart = vega.layered([layer.encoded(x=x) for layer in layers], width=width, height=HEIGHT)
    title = escape.visible(f"CPU time per workflow, ms: {history.key}", length_max=160)
    values = "; ".join(f"{row['release']}: {row['cpu_ms']:.4g} ms" for row in rows)
    drawn = svg.inline_svg(chart, name="releases", description=f"{title}. {values}.")
    return Chart(title, drawn, NOTE)


def change_lines(history: ReleaseHistory) -> list[str]:
    """Return a sentence for each change point."""
    lines = []
    for one, change in history.changes():
        before = [other for other in history.releases if other.counts]
        at = before.index(one)
        ratio = "" if change.effect is None else f" {100 * (change.effect - 1):+.3g} % CPU time"
        sure = "confirmed" if change.tier == "confirmed" else "not confirmed yet"
        lines.append(
            f"{escape.name(one.release)}:{ratio} against {escape.name(before[at - 1].release)} and "
            f"earlier ({sure})"
        )
    return lines


def release_rows(history: ReleaseHistory) -> list[dict[str, str]]:
    """Return a row of plain text for each release, the newest first."""
    return [_line(one) for one in reversed(history.releases)]


def _steps(history: ReleaseHistory) -> list[vega.Chart]:
    rows = [
        {"release": escape.name(one.release), "confirmed": change.tier == "confirmed"}
        for one, change in history.changes()
    ]
    return [
        vega.Chart([row for row in rows if row["confirmed"] == confirmed]).marked(
            "rule", strokeDash=[4, 3], color=svg.SECOND if confirmed else svg.QUIET
        )
        for confirmed in (True, False)
        if any(row["confirmed"] == confirmed for row in rows)
    ]


def _layers(rows: list[dict[str, Any]], *, filled: bool) -> list[vega.Chart]:
    """Return the marks of some releases, and what belongs to marks that count."""
    base = vega.Chart(rows)
    y = vega.channel(
        "cpu_ms:Q",
        title=None,
        scale=vega.scale(zero=True),
        axis=vega.axis(tickCount=4, domain=False),
    )
    if not filled:
        look: dict[str, Any] = {"fill": svg.PAPER, "stroke": svg.FIRST}
        return [base.marked("point", size=40, opacity=1, **look).encoded(y=y)] if rows else []
    line = base.marked("line", strokeWidth=1.4, color=svg.FIRST).encoded(
        y=y, order=vega.channel("order:Q")
    )
    dots = base.marked("point", size=40, filled=True, opacity=1, color=svg.FIRST).encoded(y=y)
    intervals = base.marked("rule", strokeWidth=1.2, color=svg.FIRST).encoded(
        y=vega.channel("low_ms:Q", title=None), y2=vega.channel("high_ms")
    )
    return [line, intervals, dots]


def _row(order: int, one: MeasuredRelease) -> dict[str, Any]:
    cpu = one.point.values[_CPU]
    value_s = cpu.value or 0.0
    return {
        "order": order,
        "release": escape.name(one.release),
        "cpu_ms": 1000 * value_s,
        "low_ms": 1000 * (value_s if cpu.low is None else cpu.low),
        "high_ms": 1000 * (value_s if cpu.high is None else cpu.high),
        "mark": _COUNTS if one.counts else _OTHER,
    }


def _line(one: MeasuredRelease) -> dict[str, str]:
    def shown(metric: str, unit: str) -> str:
        value = one.point.value(metric)
        return quantity.NOT_MEASURED if value is None else quantity.of_unit(value, unit)

    return {
        "release": escape.name(one.release),
        "CPU per workflow": shown(_CPU.metric, "s"),
        "median": shown("p50_s", "s"),
        "throughput": shown("throughput_per_s", "/s"),
        "packages": "other than before" if one.has_other_packages else "as before",
        "validity": escape.name(one.point.validity),
        "comparable": ", ".join(one.why_not) or "yes",
        "run": escape.name(one.point.run_id),
    }
