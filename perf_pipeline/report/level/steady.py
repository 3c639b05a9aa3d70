"""Whether a load level reached a steady state: the end of its warm-up, and drift after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.steady_state import Drift, SteadyState

NOTE = (
    "Change from the beginning of the steady phase to its end, relative to the mean, with the "
    "99.5 % interval. An interval that contains 0 shows no drift; its ends are the largest drifts "
    "that it cannot rule out."
)
_VERDICTS = {
    "steady": Cell("steady", "good"),
    "not_steady": Cell("not steady", "warn"),
    "undecided": Cell("undecided", "quiet"),
    "too_short": Cell(labels.UNTESTED, "quiet"),
    "not_judged": Cell("not judged", "quiet"),
}


def steady_facts(level: LevelMetrics) -> tuple[Fact, ...]:
    """Return the verdict on the steady state; empty where it was not looked for."""
    found = level.steady_state
    if found is None:
        return ()
    verdict = _VERDICTS[found.verdict]
    notes = [] if found.starts_s is None else [f"since {quantity.seconds(found.starts_s)}"]
    notes += [drift_text(name, drift) for name, drift in (found.drifts or {}).items()]
    notes += [escape.visible(found.why)] if found.why else []
    return (Fact("Steady state", Cell(verdict.text, verdict.tone, "; ".join(notes))),)


def steady_state_summary(level: LevelMetrics) -> str:
    """Return a remark on a level's steady state in one line; empty if it is steady as planned."""
    found = level.steady_state
    if found is None or (found.verdict == "steady" and not found.why):
        return ""
    why = escape.visible(found.why)
    # The cell of the validity says already that drift was not tested.
    return why if labels.is_untested(level) else f"{_VERDICTS[found.verdict].text}: {why}"


def drift_text(name: str, drift: Drift) -> str:
    """Return the drift of a series over the steady phase with its interval, as text."""
    ends = quantity.between(100 * drift.low_ratio, 100 * drift.high_ratio, "%")
    return f"{escape.name(name)} {quantity.percent(100 * drift.change_ratio)} [{ends}]"


def steady_state_sentence(level: LevelMetrics, series: str) -> str:
    """Return a sentence on the steady state for a chart over time; empty if not looked for.

    Args:
        level: The load level that is drawn.
        series: Name in the metrics of the series that is drawn; the sentence has its drift.
    """
    found = level.steady_state
    if found is None or found.verdict in ("too_short", "not_judged"):
        return ""
    if found.starts_s is None:
        mark = "No steady state was found."
    else:
        what = "steady since" if found.verdict == "steady" else "no warm-up after"
        mark = f"Heavy line: {what} {quantity.seconds(found.starts_s)}, detected from the series."
    drift = (found.drifts or {}).get(series)
    change = "" if drift is None else f" Drift: {drift_text(series, drift)}."
    return f"{mark}{change}"


def steady_since_s(level: LevelMetrics) -> float | None:
    """Return since when the series of a level are steady, in seconds; None if they are not."""
    found = level.steady_state
    judged = found is not None and found.verdict in ("steady", "undecided")
    return found.starts_s if found is not None and judged else None


def steady_tables(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the drift of each series, and why the throughput has no interval where it has none."""
    tables = []
    found = level.steady_state
    if found is not None and found.drifts:
        rows = tuple(_row(name, drift) for name, drift in found.drifts.items())
        columns = ("Series", "Change", "99.5 % interval", "")
        basis = _since(found)
        tables.append(
            Table("Drift over the steady phase", columns, rows, level.validity, basis, NOTE)
        )
    if level.throughput_interval_why:
        why = Cell(escape.visible(level.throughput_interval_why), "quiet")
        title = "95 % interval of the throughput"
        tables.append(Table(title, ("", "Reason"), ((Cell("none"), why),), level.validity))
    return tuple(tables)


def _since(found: SteadyState) -> str:
    return "" if found.starts_s is None else f"since {quantity.seconds(found.starts_s)}"


def _row(series: str, drift: Drift) -> tuple[Cell, ...]:
    ends = quantity.between(100 * drift.low_ratio, 100 * drift.high_ratio, "%")
    verdict = Cell("drifts", "warn") if drift.found else Cell("no drift found")
    change = number(quantity.percent(100 * drift.change_ratio))
    return (Cell(escape.name(series)), change, number(ends), verdict)
