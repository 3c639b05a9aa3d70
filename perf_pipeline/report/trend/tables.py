"""The tables of a history, and its answers: is it worse than before, and what to do."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from perf_pipeline.report.run.answers import Verdict
from perf_pipeline.report.text import changes as words
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.alert import Alert, Movement
    from perf_pipeline.metrics.types.trend import MetricTrend, Trend, TrendChange, TrendDrift
    from perf_pipeline.report.text.table import Tone

CHANGES_MAX = 400
ALERTS_MAX = 100
METRICS_MAX = 600
RUNS_MAX = 200
MOVED_MAX = 6
"""Metrics that are named in one alert; further ones are counted."""

NAMED_MAX = 3
MIN_VALUES = 8
"""Values of one setup before any change is seen: six of a level, and two that left it
(``analysis/change_points/recent.py``)."""
WORSE, TO_DO = "Is it worse than before?", "What to do?"
_STATES: dict[str, Tone] = {"open": "bad", "acknowledged": "warn", "cleared": "good"}


def answers(trend: Trend) -> tuple[Verdict, Verdict]:
    """Return whether it is worse than before, and what to do."""
    active = [one for one in trend.alerts if one.state != "cleared"]
    known = [one for one in active if one.state == "open"] or active
    runs = f"{quantity.counted(len(trend.runs), 'run')} on {escape.visible(trend.machine)}."
    if earlier := max((one.setup for one in trend.metrics), default=0):
        runs += f" They are of {earlier + 1} setups, which do not compare with each other."
    if not known:
        return _without_alert(trend, runs)
    alert = max(known, key=lambda one: (one.tier == "confirmed", one.alert_id))
    confirmed = alert.tier == "confirmed"
    word = "regression, confirmed" if confirmed else "may be worse, not confirmed"
    if alert.state == "acknowledged":
        word = f"{word}, acknowledged"
    tone: Tone = "bad" if confirmed and alert.state == "open" else "warn"
    others = f" {quantity.counted(len(known) - 1, 'further alert')}." if len(known) > 1 else ""
    since = f"Drifting since run {escape.name(alert.last_good)}"
    if not alert.is_drift:
        since = f"Since run {escape.name(alert.alert_id)}"
    said = f"{since}: {moved(alert, NAMED_MAX)}.{others}"
    note = (escape.visible(alert.note),) if alert.note else ()
    return (
        Verdict(WORSE, Cell(word, tone), (said, *note, runs)),
        Verdict(
            TO_DO,
            Cell("find the cause" if confirmed else "run it again", tone),
            (_next_step(trend, alert, confirmed=confirmed),),
        ),
    )


def _without_alert(trend: Trend, runs: str) -> tuple[Verdict, Verdict]:
    worse = sum(change.is_worse is True for metric in trend.metrics for change in metric.changes)
    said = f"{quantity.counted(worse, 'change point')} for the worse so far."
    if drifts := sum(one.drift is not None and one.drift.is_worse is True for one in trend.metrics):
        said += f" {quantity.counted(drifts, 'drift')} to the worse."

    if any(map(partial(_is_unannounced, trend), trend.metrics)):
        return (
            Verdict(WORSE, Cell("worse, and no alert was raised yet", "warn"), (said, runs)),
            Verdict(
                TO_DO,
                Cell("look for alerts", "warn"),
                ("`perf-pipeline alerts check` raises one for the first bad run.",),
            ),
        )
    newest = [metric for metric in trend.metrics if metric.setup == 0]
    longest = max((sum(one.counts for one in metric.points) for metric in newest), default=0)
    if longest < MIN_VALUES:
        few = f"A change is seen from {MIN_VALUES} valid runs of one setup on; the newest has "
        return (
            Verdict(
                WORSE, Cell("too few runs to see a change", "quiet"), (f"{few}{longest}.", runs)
            ),
            Verdict(TO_DO, Cell("run it again", "quiet"), ("`perf-pipeline compare` takes two.",)),
        )
    return (
        Verdict(WORSE, Cell("no alert stands", "good"), (said, runs)),
        Verdict(TO_DO, Cell("nothing", "good"), ()),
    )


def _is_unannounced(trend: Trend, metric: MetricTrend) -> bool:
    """Return whether a metric is worse, for sure, and the alert that this raises is not there."""
    raised = {alert.alert_id for alert in trend.alerts}
    for change in metric.changes:
        near = trend.runs[change.earliest : change.latest + 1]
        is_decided = change.raises_alert and change.tier == "confirmed"
        if is_decided and raised.isdisjoint(run.run_id for run in near):
            return True
    if metric.drift is None or not metric.drift.raises_alert:
        return False
    mine = (metric.level, metric.family, metric.metric)
    drifts = (one for alert in trend.alerts for one in alert.movements if one.is_drift)
    return all((one.key.level, one.key.family, one.key.metric) != mine for one in drifts)


def _next_step(trend: Trend, alert: Alert, *, confirmed: bool) -> str:
    bad, good = escape.name(alert.alert_id), escape.name(alert.last_good)
    if not confirmed:
        return "A few more runs confirm it or take it back."
    if not alert.last_good:
        return f"Compare run {bad} with an older one."
    if alert.is_drift:
        newest = escape.name(trend.runs[-1].run_id)
        return (
            f"`perf-pipeline compare {good} {newest}` names what moved from the start of the drift "
            "to the newest run."
        )
    versions = [
        escape.name(one.version)
        for run in (alert.last_good, alert.alert_id)
        for one in trend.runs
        if one.run_id == run and one.version
    ]
    between = f" ({' → '.join(dict.fromkeys(versions))})" if versions else ""
    return f"`perf-pipeline compare {good} {bad}`{between} names what moved between the two runs."


def moved(alert: Alert, named_max: int) -> str:
    """Return what moved in an alert, the worst first; what is beyond a number is counted."""
    named = ", ".join(map(_movement, alert.movements[:named_max]))
    left = len(alert.movements) - named_max
    return f"{named} and {quantity.counted(left, 'metric')} more" if left > 0 else named


def _movement(one: Movement) -> str:
    where = ", ".join(map(escape.name, filter(None, (f"at {one.key.level}", one.key.family))))
    effect = words.effect_text(one.effect, one.kind)
    return f"{words.metric_name(one.key.metric)} {where} {effect}"


def alerts_table(trend: Trend) -> Table:
    """Return one row for each alert: the first bad run, its range, and what moved."""
    rows = tuple(
        (
            Cell(escape.name(alert.alert_id)),
            Cell(alert.state, _STATES[alert.state], escape.visible(alert.note)),
            Cell(f"{alert.tier}, {alert.severity}"),
            Cell(_range(alert)),
            Cell(moved(alert, MOVED_MAX)),
            Cell(quantity.moment(escape.name(alert.raised_at))),
        )
        for alert in trend.alerts[:ALERTS_MAX]
    )
    note = "The first bad run is exact in about nine of ten histories, else off by one run."
    columns = ("First bad run", "State", "Tier, severity", "Range", "What moved", "Raised")
    return Table("Alerts", columns, rows, note=note)


def _range(alert: Alert) -> str:
    if not alert.last_good:
        return "no good run before it is known"
    return f"{'drifting since' if alert.is_drift else 'after'} {escape.name(alert.last_good)}"


def changes_table(trend: Trend) -> Table:
    """Return one row for each change point, the newest first."""
    found = sorted(_changes(trend), key=lambda one: one[1].run, reverse=True)
    rows = tuple(_change_row(trend, *one) for one in found[:CHANGES_MAX])
    note = (
        "Confirmed: gates. Fast: a warning that further runs may take back. Range: the runs of "
        "which each may be the first of the new level."
    )
    left = len(found) - len(rows)
    note += f" Not shown: {quantity.counted(left, 'older change point')}." if left else ""
    columns = ("Metric", "Level", "Family", "Since run", "Change", "Interval", "Tier", "Range")
    return Table("Change points", columns, rows, note=note)


def _changes(trend: Trend) -> Iterator[tuple[MetricTrend, TrendChange]]:
    for metric in trend.metrics:
        for change in metric.changes:
            yield metric, change


def _change_row(trend: Trend, metric: MetricTrend, change: TrendChange) -> tuple[Cell, ...]:
    run = trend.runs[change.run]
    nothing = Cell("no ratio", "quiet", "the levels are 0, or not of the same sign")
    interval = words.between(change.low, change.high, "ratio")
    return (
        Cell(words.metric_name(metric.metric)),
        _level_cell(metric),
        Cell(escape.name(metric.family) or "all"),
        Cell(f"{change.run + 1}: {escape.name(run.run_id)}", note=escape.name(run.version)),
        nothing if change.effect is None else number(words.effect_text(change.effect, "ratio")),
        number(interval) if interval else Cell("none", "quiet"),
        Cell(f"{words.direction(change.is_worse)}, {change.tier}", _tone(change)),
        Cell(f"{change.earliest + 1} to {change.latest + 1}"),
    )


def _level_cell(metric: MetricTrend) -> Cell:
    differences = ", ".join(metric.differences)
    return Cell(escape.name(metric.level), note=escape.name(differences))


def _tone(change: TrendChange) -> Tone:
    if not change.is_worse:
        return "quiet" if change.is_worse is None else "good"
    return "bad" if change.tier == "confirmed" else "warn"


def metrics_table(trend: Trend) -> Table:
    """Return one row for each metric, drawn or not: latest value, range and last change point."""
    newest_first = sorted(trend.metrics, key=attrgetter("setup"))[:METRICS_MAX]
    rows = tuple(_metric_row(metric) for metric in newest_first if metric.points)
    left = len(trend.metrics) - METRICS_MAX
    note = (
        "Over the runs that are valid and compare; those of another setup are in rows of their "
        "own. Drift: steadily up or down over the last level, by this much from its first run to "
        "its last."
    )
    note += f" Not shown: {quantity.counted(left, 'metric')} more." if left > 0 else ""
    columns = ("Metric", "Level", "Family", "Latest", "Range", "Runs", "Last change point", "Drift")
    return Table("Every metric", columns, rows, note=note)


def _metric_row(metric: MetricTrend) -> tuple[Cell, ...]:
    nothing = Cell("none", "quiet")
    values = [one.value for one in metric.points if one.counts]
    unit = metric.unit
    last = metric.changes[-1] if metric.changes else None
    return (
        Cell(words.metric_name(metric.metric)),
        _level_cell(metric),
        Cell(escape.name(metric.family) or "all"),
        number(words.value_text(values[-1], unit)) if values else nothing,
        number(" to ".join(words.value_text(end, unit) for end in (min(values), max(values))))
        if values
        else nothing,
        number(str(len(values))),
        nothing if last is None else Cell(f"run {last.run + 1}, {last.tier}", _tone(last)),
        nothing if metric.drift is None else _drift_cell(metric.drift),
    )


def _drift_cell(drift: TrendDrift) -> Cell:
    by = "no ratio" if drift.effect is None else words.effect_text(drift.effect, "ratio")
    interval = words.between(drift.low, drift.high, "ratio")
    tone: Tone = "warn" if drift.is_worse else "quiet" if drift.is_worse is None else "good"
    return Cell(f"{by} since run {drift.run + 1}", tone, interval)


def baselines_table(trend: Trend) -> Table:
    """Return one row for each pinned baseline."""
    rows = tuple(
        (
            Cell(f"pinned:{escape.name(one.name)}", note=escape.visible(one.note)),
            Cell(quantity.moment(escape.name(one.created))),
            Cell(
                str(len(one.runs)),
                note=", ".join(escape.name(trend.runs[at].run_id) for at in one.runs[-MOVED_MAX:]),
            ),
        )
        for one in trend.baselines
    )
    return Table("Baselines", ("Name", "Pinned", "Runs"), rows)
