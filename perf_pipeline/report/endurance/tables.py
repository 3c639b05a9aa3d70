"""The tables of a campaign: hours side by side, verdicts, resources, breaks and gaps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from perf_pipeline.report.endurance import words
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, measured, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign
    from perf_pipeline.samples.campaign.hour import Hour
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict
    from perf_pipeline.samples.campaign.signal_limits import SignalLimit
    from perf_pipeline.samples.campaign.verdicts import DegradationVerdict

_NOTHING = Cell("none", "quiet")
_NO_ENDED = "no workflow of the hour ended"
LEFT_OUT_MAX = 4
"""Windows that are named; further ones are counted."""


def hours_table(stored: StoredCampaign) -> Table:
    """Return one row for each hour, also for those without a result."""
    there = {one.hour: one for one in stored.hours}
    rows = []
    for hour in range(max(there, default=-1) + 1):
        one = there.get(hour)
        rows.append(_missing_row(hour) if one is None else _hour_row(stored, one))
    note = (
        "Failed: errors, timeouts and dropped. Times are response times, from the intended start. "
        "Target: which process of the target executed the hour."
    )
    columns = (
        *("Hour", "Began", "Scheduled", "Ok", "Failed", "Throughput", "P50", "P99"),
        *("Errors", "CPU each", "Target", "Ended"),
    )
    return Table("Hours", columns, tuple(rows), basis=stored.basis, note=note)


def _missing_row(hour: int) -> tuple[Cell, ...]:
    return (Cell(f"{hour}"), Cell("missing", "bad", "no result"), *[_NOTHING] * 10)


def _hour_row(stored: StoredCampaign, one: Hour) -> tuple[Cell, ...]:
    failed = one.errors + one.timeouts + one.dropped
    parts = (
        *((one.errors, "errors"), (one.timeouts, "timeouts")),
        *((one.dropped, "dropped"), (one.abandoned, "abandoned")),
    )
    named = ", ".join(f"{quantity.count(found)} {what}" for found, what in parts if found)
    percent = partial(_percent, one)
    return (
        Cell(str(one.hour), note=escape.name(one.partition)),
        number(f"after {quantity.seconds(one.begun_s)}"),
        number(quantity.count(one.scheduled)),
        number(quantity.count(one.ok)),
        number(quantity.count(failed), named),
        measured(one.throughput_per_s, quantity.rate, _NO_ENDED),
        measured(one.p50_s, quantity.seconds, _NO_ENDED),
        measured(one.p99_s, quantity.seconds, _NO_ENDED),
        measured(one.error_ratio, percent, _NO_ENDED),
        measured(one.cpu_per_workflow_s, quantity.seconds, "its processor time was not read"),
        _process_cell(stored, one),
        Cell("at its deadline")
        if one.ran_to_end
        else Cell("early", "warn", words.sentence(one.ended_because)),
    )


def _percent(_one: Hour, ratio: float) -> str:
    return quantity.percent(100 * ratio)


def _process_cell(stored: StoredCampaign, one: Hour) -> Cell:
    boots = list(dict.fromkeys(hour.boot_id for hour in stored.hours))
    place = boots.index(one.boot_id) + 1
    is_new = any(one is other for other in stored.breaks)
    return Cell(f"process {place}, new", "warn") if is_new else Cell(f"process {place}")


def interruptions_table(stored: StoredCampaign) -> Table:
    """Return one row for each gap, break and missing hour."""
    rows = sorted(_interruptions(stored), key=lambda row: row[0])
    note = (
        "Gap: no load for more than a sixtieth of an hour. Break: the target is another process "
        "than before, so what grew in the first one is gone, and is never joined to the second."
    )
    return Table(
        "Breaks and gaps",
        ("Before hour", "What", "How long", "Why"),
        tuple(cells for _, cells in rows),
        basis=stored.basis,
        note=note,
    )


def _interruptions(stored: StoredCampaign) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    before = dict(zip((one.hour for one in stored.hours[1:]), stored.hours, strict=False))
    for hour in stored.missing:
        yield (
            hour,
            (Cell(str(hour)), Cell("missing hour", "bad"), _NOTHING, Cell("it has no result")),
        )
    for one in stored.gaps:
        earlier = before.get(one.hour)
        why = "it began late"
        if earlier is not None and not earlier.ran_to_end:
            why = words.sentence(earlier.ended_because)
        length = number(quantity.seconds(one.gap_before_s))
        yield one.hour, (Cell(str(one.hour)), Cell("gap", "warn"), length, Cell(why))
    for one in stored.breaks:
        restarted = Cell("the target was started again")
        yield one.hour, (Cell(str(one.hour)), Cell("break", "warn"), _NOTHING, restarted)


def leaks_table(stored: StoredCampaign) -> Table:
    """Return one row for each judged signal, leaks first."""
    found = () if stored.verdicts is None else stored.verdicts.leaks
    rows = sorted(found, key=lambda one: words.weight(one.name, one))
    note = (
        "Growth is that of the floors, the lowest values of short stretches, after warm-up. "
        "Smallest visible: a leak that is slower than this would not have been seen. "
        "The target's signals, and its sessions on servers, decide whether the campaign leaks."
        f"{_left_out(stored)}"
    )
    columns = (
        *("Signal", "Verdict", "Growth per hour", "Interval"),
        *("Per 1000 workflows", "Smallest visible", "Limit reached in"),
    )
    cells = tuple(_leak_row(one, stored.limits.get(one.name)) for one in rows)
    return Table("Leaks", columns, cells, basis=stored.basis, note=note)


def _left_out(stored: StoredCampaign) -> str:
    """Return a sentence on the windows that were left out; empty where none was."""
    found = () if stored.verdicts is None else stored.verdicts.left_out
    if not found:
        return ""
    named = "; ".join(
        f"{words.sentence(one.why)}, from {quantity.seconds(one.begin_s)} to "
        f"{quantity.seconds(one.end_s)}"
        for one in found[:LEFT_OUT_MAX]
    )
    left = len(found) - LEFT_OUT_MAX
    more = f"; {quantity.counted(left, 'further window')}" if left > 0 else ""
    return f" Left out of every signal: {named}{more}."


def _leak_row(one: LeakVerdict, limit: SignalLimit | None) -> tuple[Cell, ...]:
    unit = words.unit_of(one.name)
    grown = partial(words.amount, unit=unit, signed=True)
    return (
        Cell(escape.name(one.name)),
        words.signal_cell(one),
        measured(one.growth_per_hour, grown, "too few samples"),
        _NOTHING if one.interval is None else number(words.between(*one.interval, unit)),
        measured(one.growth_per_1000_workflows, grown, ""),
        measured(one.smallest_visible, partial(words.amount, unit=unit), ""),
        _limit_cell(one, limit),
    )


def _limit_cell(one: LeakVerdict, known: SignalLimit | None) -> Cell:
    if one.limit is None:
        return Cell("no limit", "quiet")
    unit = words.unit_of(one.name)
    limit = words.amount(one.limit, unit) if unit else quantity.count(round(one.limit))
    note = limit if known is None else f"{limit}: {words.sentence(known.source)}"
    if one.hours_to_limit is None:
        return Cell("not approached", "quiet", note)
    return number(_hours(one.hours_to_limit), note)


def _hours(hours: float) -> str:
    return f"{quantity.significant(hours)} h"


def losses_table(stored: StoredCampaign) -> Table:
    """Return one row for each metric: its loss over 24 hours against the limit."""
    found = () if stored.verdicts is None else stored.verdicts.degradation
    note = (
        "Loss: how much worse the metric is after 24 hours than at the beginning. It is proven "
        "absent only where the whole interval lies below the limit; else it is not."
    )
    columns = ("Metric", "Verdict", "Loss over 24 h", "Interval", "Limit")
    return Table(
        "Degradation", columns, tuple(map(_loss_row, found)), basis=stored.basis, note=note
    )


def _loss_row(one: DegradationVerdict) -> tuple[Cell, ...]:
    interval = "" if one.interval is None else " to ".join(map(words.share, one.interval))
    return (
        Cell(words.metric(one.metric)),
        words.loss_cell(one.verdict),
        measured(one.loss, words.share, "too few hours"),
        number(interval) if interval else _NOTHING,
        number(words.share(one.limit)),
    )


def changes_table(stored: StoredCampaign) -> Table:
    """Return one row for each change point inside the campaign."""
    found = () if stored.verdicts is None else stored.verdicts.change_points
    rows = tuple(
        (
            Cell(words.metric(one.metric)),
            Cell(f"hour {one.hour}"),
            _NOTHING if one.effect is None else number(words.share(one.effect - 1)),
        )
        for one in found
    )
    return Table("Change points", ("Metric", "Since", "Change"), rows, basis=stored.basis)


def resources_table(stored: StoredCampaign) -> Table:
    """Return one row for each signal: first and last value, lowest and highest, and its gaps."""
    names = sorted(
        (*stored.signal_names, *stored.unmeasured_signals),
        key=lambda name: (words.owner_place(name), name),
    )
    columns = ("Signal", "Of", "First", "Last", "Lowest", "Highest", "Samples")
    rows = tuple(_resource_row(stored, name) for name in names)
    return Table("Resources", columns, rows, basis=stored.basis)


def _resource_row(stored: StoredCampaign, name: str) -> tuple[Cell, ...]:
    values = [value for _, value in stored.series(name)]
    shown = partial(words.amount, unit=words.unit_of(name))
    ends = (values[0], values[-1], min(values), max(values)) if values else (None,) * 4
    gap = stored.missing_signals.get(name)
    lacking = f"{quantity.count(gap.samples)} lack it: {words.sentence(gap.reason)}" if gap else ""
    return (
        Cell(escape.name(name.partition(".")[2])),
        Cell(words.owner(name)),
        *(measured(value, shown, "no sample has it") for value in ends),
        number(quantity.count(len(values)), lacking),
    )
