"""Whether a level settled: where its warm-up ended, and whether the rest drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.steady_state import Drift, SteadyState

NOTE = (
    "From the beginning of the steady phase to its end, relative to the mean, with the 99.5 % "
    "interval: an interval that holds 0 shows no drift, and its ends say how much it cannot rule "
    "out."
)
_WORDS = {
    "steady": Cell("steady", "good"),
    "not_steady": Cell("not steady", "warn"),
    "undecided": Cell("undecided", "quiet"),
    "too_short": Cell(labels.UNTESTED, "quiet"),
    "not_judged": Cell("not judged", "quiet"),
}


def steady_facts(level: LevelMetrics) -> tuple[Fact, ...]:
    """Return whether the level settled; nothing where nothing looked for it."""
    found = level.steady_state
    if found is None:
        return ()
    word = _WORDS[found.verdict]
    notes = [] if found.starts_s is None else [f"since {quantity.seconds(found.starts_s)}"]
    notes += [drift_told(name, drift) for name, drift in (found.drifts or {}).items()]
    notes += [escape.visible(found.why)] if found.why else []
    return (Fact("Steady state", Cell(word.text, word.tone, "; ".join(notes))),)


def steady_state_summary(level: LevelMetrics) -> str:
    """Return what is to be said of a level's steady state in a line; empty if it is as planned."""
    found = level.steady_state
    if found is None or (found.verdict == "steady" and not found.why):
        return ""
    why = escape.visible(found.why)
    # Beside the validity stands already that drift was not tested.
    return why if labels.is_untested(level) else f"{_WORDS[found.verdict].text}: {why}"


def drift_told(name: str, drift: Drift) -> str:
    """Return by how much a series changes over the steady phase, with the interval."""
    ends = quantity.between(100 * drift.low_ratio, 100 * drift.high_ratio, "%")
    return f"{escape.name(name)} {quantity.percent(100 * drift.change_ratio)} [{ends}]"


def steady_state_sentence(level: LevelMetrics, series: str) -> str:
    """Return what a chart over time says of the steady state, as far as it was looked for.

    Args:
        level: Whose chart.
        series: The one that is drawn, as the metrics call it; its drift is told.
    """
    found = level.steady_state
    if found is None or found.verdict in ("too_short", "not_judged"):
        return ""
    if found.starts_s is None:
        mark = "No steady state was found."
    else:
        what = "steady since" if found.verdict == "steady" else "no warm-up after"
        mark = f"The heavy line: {what} {quantity.seconds(found.starts_s)}, by the series."
    drift = (found.drifts or {}).get(series)
    change = "" if drift is None else f" Drift: {drift_told(series, drift)}."
    return f"{mark}{change}"


def settled_at_s(level: LevelMetrics) -> float | None:
    """Return since when the series of a level are steady; None where nothing found that."""
    found = level.steady_state
    judged = found is not None and found.verdict in ("steady", "undecided")
    return found.starts_s if found is not None and judged else None


def steady_tables(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the drift of each series, and why the throughput has no interval if it has none."""
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
        title = "Interval of the throughput"
        tables.append(
            Table(title, ("", "Why there is none"), ((Cell("none"), why),), level.validity)
        )
    return tuple(tables)


def _since(found: SteadyState) -> str:
    return "" if found.starts_s is None else f"since {quantity.seconds(found.starts_s)}"


def _row(series: str, drift: Drift) -> tuple[Cell, ...]:
    ends = quantity.between(100 * drift.low_ratio, 100 * drift.high_ratio, "%")
    word = Cell("drifts", "warn") if drift.found else Cell("no drift found")
    change = number(quantity.percent(100 * drift.change_ratio))
    return (Cell(escape.name(series)), change, number(ends), word)
