"""The page of a capacity search: the answer, the curve with its knee, and every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.capacity import NOT_REACHED, UPPER_UNKNOWN
from perf_pipeline.config.scenario.capacity_question import FAILURES
from perf_pipeline.report.charts import capacity_chart
from perf_pipeline.report.page_environment import page_environment
from perf_pipeline.report.run.markdown import markdown_table
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, number
from perf_pipeline.samples.run_file import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.analysis.capacity import CapacityFinding, LoadPoint, Verdict
    from perf_pipeline.analysis.capacity_search import StepVerdict
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.slo_verdict import SloVerdict
    from perf_pipeline.report.text.table import Tone

TONES: dict[StepVerdict, Tone] = {
    "met": "good",
    "missed": "bad",
    "unclear": "warn",
    "not_steady": "warn",
    "not_measured": "quiet",
}
_ANSWERS: dict[Verdict, Tone] = {
    "found": "good",
    "at_least": "good",
    "not_bounded": "warn",
    "none": "bad",
    "no_data": "quiet",
}
KNEE = "Knee (highest throughput x lowest mean time)"
NOTE = (
    "Met: the whole 95 % interval is within every limit. A step that was neither met nor missed "
    "was run again for longer; if it was still undecided, it counts as not met. Little's law: "
    "throughput x mean time / in flight, each measured separately; in a steady state it is within "
    "5 % of 100 %."
)


def write_capacity_report(finding: CapacityFinding, metrics: RunMetrics, folder: Path) -> Path:
    """Write ``capacity.html`` and ``capacity.md`` into a run's folder; return the HTML's path.

    Raises:
        OSError: The folder cannot be written to.
    """
    page = folder / "capacity.html"
    write_atomically(folder / "capacity.md", render_markdown(finding, metrics).encode())
    write_atomically(page, render_html(finding, metrics).encode())
    return page


def render_html(finding: CapacityFinding, metrics: RunMetrics) -> str:
    """Return the page; it opens offline and has no script."""
    chart = capacity_chart.curve(finding)
    return (
        page_environment()
        .get_template("capacity.html.jinja")
        .render(
            title=_title(metrics),
            run_id=metrics.run_id,
            status=metrics.status,
            answer=answer(finding),
            explanation=finding.summary,
            noise=escape.visible(finding.noise).capitalize(),
            facts=facts(finding),
            charts=[chart] if chart else [],
            table=steps_table(finding),
        )
    )


def render_markdown(finding: CapacityFinding, metrics: RunMetrics) -> str:
    """Return the page as Markdown, without the chart."""
    lines = [
        f"- {escape.markdown(fact.term)}: {escape.markdown(fact.cell.text)}"
        + (f" ({escape.markdown(fact.cell.note)})" if fact.cell.note else "")
        for fact in facts(finding)
    ]
    blocks = [
        f"# {escape.markdown(_title(metrics))}",
        f"Run {escape.markdown(metrics.run_id)}, {escape.markdown(metrics.status)}",
        f"**{escape.markdown(answer(finding).text)}.** {escape.markdown(finding.summary)}.",
        *([f"Warning: {escape.markdown(finding.noise)}."] if finding.noise else []),
        "\n".join(lines),
        markdown_table(steps_table(finding)),
    ]
    return "\n\n".join(blocks) + "\n"


def answer(finding: CapacityFinding) -> Cell:
    """Return the capacity in a few words."""
    tone = _ANSWERS[finding.verdict]
    if finding.value is None:
        return Cell("no load meets them" if finding.verdict == "none" else "no data", tone)
    shown = finding.shown(finding.value)
    return Cell(shown if finding.verdict == "found" else f"at least {shown}", tone)


def facts(finding: CapacityFinding) -> list[Fact]:
    """Return the interval, the metrics at the capacity, the knee and the scalability model."""
    added = f"{FAILURES.text} is added if no objective limits failures"
    note = added if FAILURES.text in finding.slos else ""
    found = [Fact("Objectives", Cell("; ".join(finding.slos), note=note))]
    if finding.value is not None:
        above = "no step that missed" if finding.below is None else finding.shown(finding.below)
        found.append(Fact("Between", Cell(f"{finding.shown(finding.value)} and {above}")))
    point = finding.at_value
    if point is not None:
        found += [Fact(f"{slo.slo.metric} there", _measured(slo)) for slo in point.slos]
    knee = finding.knee
    if knee is not None and not knee.is_reached:
        found.append(Fact(KNEE, Cell("not reached", "quiet", NOT_REACHED)))
    elif knee is not None:
        what = (
            f"{knee.in_flight:.4g} in flight: {quantity.rate(knee.per_s)} "
            f"x {quantity.seconds(knee.time_s)}"
        )
        found.append(Fact(KNEE, Cell(what)))
    usl = finding.usl
    if usl is not None:
        peak = usl.peak_in_flight
        what = f"contention {usl.queueing:.3g}, crosstalk {usl.crosstalk:.3g}"
        what += f", peak at {peak:.4g} in flight" if peak else ", no peak"
        highest = max((p.little.in_flight for p in finding.points if p.little), default=0.0)
        what += " (extrapolated)" if peak and peak > highest else ""
        note = f"largest deviation of a step: {100 * usl.worst_ratio:.2g} %"
        found.append(Fact("Universal scalability law", Cell(what, note=note)))
    return found


def steps_table(finding: CapacityFinding) -> Table:
    """Return one row for each step, in the order in which they ran."""
    rows = tuple(_row(finding, point) for point in finding.points)
    columns = (
        "Load",
        "Level",
        "Verdict",
        "Throughput",
        "In flight",
        "Little's law",
        "Steady phase",
    )
    metrics = list(dict.fromkeys(slo.slo.text for p in finding.points for slo in p.slos))
    return Table("Steps, in the order in which they ran", (*columns, *metrics), rows, note=NOTE)


def _row(finding: CapacityFinding, point: LoadPoint) -> tuple[Cell, ...]:
    little = point.little
    nothing = Cell(quantity.NOT_MEASURED, "quiet")
    rate = point.throughput_per_s
    texts = dict.fromkeys(slo.slo.text for p in finding.points for slo in p.slos)
    by_text = {slo.slo.text: slo for slo in point.slos}
    return (
        number(finding.shown(point.load)),
        Cell(escape.name(point.level)),
        Cell(point.verdict.replace("_", " "), TONES[point.verdict], escape.visible(point.why)),
        nothing if rate is None else number(quantity.rate(rate)),
        nothing if little is None else number(f"{little.in_flight:.4g}"),
        nothing if little is None else number(f"{100 * little.ratio:.1f} %"),
        number(quantity.seconds(point.steady_s)),
        *(_measured(by_text[each]) if each in by_text else nothing for each in texts),
    )


def _measured(slo: SloVerdict) -> Cell:
    if slo.value is None:
        return Cell(quantity.NOT_MEASURED, "quiet", escape.visible(slo.why))
    unit = slo.slo.about.unit
    bound = "≥ " if slo.at_least else ""
    note = ""
    if slo.low is not None:
        low = quantity.of_unit(slo.low, unit)
        note = f"{low} or more, {UPPER_UNKNOWN}"
        if slo.high is not None:
            note = f"{low} to {quantity.of_unit(slo.high, unit)}"
    return number(f"{bound}{quantity.of_unit(slo.value, unit)}", note)


def _title(metrics: RunMetrics) -> str:
    return escape.visible(metrics.manifest.title or "Capacity")
