"""The table of service level objectives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.slo.explain import amount
from perf_pipeline.analysis.slo.judge import run_slos
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.slo_verdict import SloVerdict
    from perf_pipeline.report.text.table import Tone

COLUMNS = ("Objective", "Level", "Validity", "Verdict", "Value", "95 % interval", "On", "What")
NOTE = (
    "Missed: exit code 1. Unclear (the interval holds the limit, or some windows could not be "
    "judged) and no data: exit code 3. In a closed loop a latency is a service time, in an open "
    "one a response time. Over a window, the value is that of the worst one."
)
NONE = "The scenario has no objectives; [[slo]] or --slo sets some."

_TONES: dict[Verdict, Tone] = {
    "met": "good",
    "missed": "bad",
    "unclear": "warn",
    "no_data": "quiet",
}


def slo_table(metrics: RunMetrics) -> Table:
    """Return one row an objective and level; no row without any objectives."""
    rows = tuple(_row(verdict) for verdict in run_slos(metrics))
    return Table("Objectives", COLUMNS, rows, note=NOTE if rows else NONE)


def slo_answer(metrics: RunMetrics) -> tuple[Cell, tuple[str, ...]] | None:
    """Return whether the run keeps its objectives, and a sentence for each it does not keep.

    None without any: nothing was asked.
    """
    found = run_slos(metrics)
    if not found:
        return None
    met = sum(one.verdict == "met" for one in found)
    worst: Verdict = "met"
    for word in ("no_data", "unclear", "missed"):
        worst = word if any(one.verdict == word for one in found) else worst
    kept: dict[tuple[str, Verdict], list[str]] = {}
    for one in found:
        if one.verdict != "met":
            kept.setdefault((one.slo.text, one.verdict), []).append(_seen(one))
    sentences = [f"{met} of {len(found)} met."]
    sentences += [
        f"{escape.visible(asked)}, {_word(word)}: {'; '.join(levels)}."
        for (asked, word), levels in kept.items()
    ]
    return Cell(_word(worst), _TONES[worst]), tuple(sentences)


def _seen(verdict: SloVerdict) -> str:
    """Return at which level an objective was looked at, and what was seen there."""
    level = escape.name(verdict.level)
    if verdict.value is None:
        return f"{level} ({quantity.NOT_MEASURED})"
    least = "≥ " if verdict.at_least else ""
    return f"{level} ({least}{escape.visible(amount(verdict, verdict.value))}, {verdict.validity})"


def _row(verdict: SloVerdict) -> tuple[Cell, ...]:
    nothing = Cell(quantity.NOT_MEASURED, "quiet")
    value = nothing
    if verdict.value is not None:
        least = "≥ " if verdict.at_least else ""
        value = number(f"{least}{amount(verdict, verdict.value)}")
    interval = Cell("none", "quiet")
    if verdict.low is not None and verdict.high is not None:
        ends = (amount(verdict, end) for end in (verdict.low, verdict.high))
        interval = Cell(" to ".join(ends))
    return (
        Cell(escape.visible(verdict.slo.text)),
        Cell(escape.name(verdict.level)),
        Cell(verdict.validity, "good" if verdict.validity == "valid" else "warn"),
        Cell(_word(verdict.verdict), _TONES[verdict.verdict]),
        value,
        interval,
        number(f"{verdict.samples:,}"),
        Cell(escape.visible(verdict.what), note=escape.visible(verdict.why)),
    )


def _word(verdict: Verdict) -> str:
    return verdict.replace("_", " ")
