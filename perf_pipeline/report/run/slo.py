"""The table of service level objectives (SLOs), and the answer whether the run meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.slo.explain import amount
from perf_pipeline.analysis.slo.judge import run_slos
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.slo_verdict import SloVerdict


COLUMNS = (
    *("Objective", "Level", "Validity", "Verdict", "Value", "95 % interval", "Samples"),
    "Measured",
)
NOTE = (
    "Missed: exit code 1. Unclear (the interval contains the limit, or some windows could not be "
    "judged) and no data: exit code 3. In a closed loop, latency is the service time; in an open "
    "loop, the response time. For a sliding window, the value is that of the worst window."
)
NONE = "The scenario has no objectives. Set them with [[slo]] or --slo."


def slo_table(metrics: RunMetrics) -> Table:
    """Return one row for each objective and level; no row without objectives."""
    rows = tuple(_row(verdict) for verdict in run_slos(metrics))
    return Table("Objectives", COLUMNS, rows, note=NOTE if rows else NONE)


def slo_answer(metrics: RunMetrics) -> tuple[Cell, tuple[str, ...]] | None:
    """Return whether the run meets its objectives, with a sentence for each that is not met.

    None for a run without objectives.
    """
    found = run_slos(metrics)
    if not found:
        return None
    met = sum(one.verdict == "met" for one in found)
    worst: Verdict = "met"
    for verdict in ("no_data", "unclear", "missed"):
        worst = verdict if any(one.verdict == verdict for one in found) else worst
    not_met: dict[tuple[str, Verdict], list[str]] = {}
    for one in found:
        if one.verdict != "met":
            not_met.setdefault((one.slo.text, one.verdict), []).append(_measured_at(one))
    sentences = [f"{met} of {len(found)} met."]
    sentences += [
        f"{escape.visible(objective)}, {_shown(verdict)}: {'; '.join(levels)}."
        for (objective, verdict), levels in not_met.items()
    ]
    return labels.verdict_cell(worst), tuple(sentences)


def _measured_at(verdict: SloVerdict) -> str:
    """Return the level with the value that was measured there."""
    level = escape.name(verdict.level)
    if verdict.value is None:
        return f"{level} ({quantity.NOT_MEASURED})"
    bound = "≥ " if verdict.at_least else ""
    return f"{level} ({bound}{escape.visible(amount(verdict, verdict.value))}, {verdict.validity})"


def _row(verdict: SloVerdict) -> tuple[Cell, ...]:
    nothing = Cell(quantity.NOT_MEASURED, "quiet")
    value = nothing
    if verdict.value is not None:
        bound = "≥ " if verdict.at_least else ""
        value = number(f"{bound}{amount(verdict, verdict.value)}")
    interval = Cell("none", "quiet")
    if verdict.low is not None and verdict.high is not None:
        ends = (amount(verdict, end) for end in (verdict.low, verdict.high))
        interval = Cell(" to ".join(ends))
    return (
        Cell(escape.visible(verdict.slo.text)),
        Cell(escape.name(verdict.level)),
        Cell(verdict.validity, "good" if verdict.validity == "valid" else "warn"),
        labels.verdict_cell(verdict.verdict),
        value,
        interval,
        number(f"{verdict.samples:,}"),
        Cell(escape.visible(verdict.what), note=escape.visible(verdict.why)),
    )


def _shown(verdict: Verdict) -> str:
    return verdict.replace("_", " ")
