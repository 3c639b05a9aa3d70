"""Everything that the report shows of one load level or arm: facts, and tables by subject."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.report.level import level_accounts, level_cells, resources
from perf_pipeline.report.level.bottleneck import bottleneck_fact, bottleneck_tables
from perf_pipeline.report.level.level_times import cold_starts, response_times, service_times
from perf_pipeline.report.level.noise import noise_facts, noise_tables
from perf_pipeline.report.level.open_level import open_facts, open_tables
from perf_pipeline.report.level.steady import steady_facts, steady_tables
from perf_pipeline.report.level.steps import step_tables
from perf_pipeline.report.recovery.tables import recovery_tables
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, measured, number, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.report.run.cost import Cost

FAIRNESS = (
    "Jain's index is 1 when all threads ended equally many workflows, and 1 / threads when one "
    "thread ended all of them."
)
_OUTCOMES = ("ok", "error", "timeout", "dropped", "abandoned")


@dataclass(frozen=True)
class Group:
    """Tables of one subject.

    Attributes:
        title: The subject.
        tables: At least one.
        is_open: Whether the page shows it unfolded; the others may be folded.
    """

    title: str
    tables: tuple[Table, ...]
    is_open: bool = False


@dataclass(frozen=True)
class LevelView:
    """Everything that the report shows of one load level.

    Attributes:
        anchor: Id of its section in the page.
        name: Its name in the tables.
        title: The name with the number in flight or the offered rate.
        subtitle: Target and nodes that executed the workflows, and the time of the level.
        validity: The verdict.
        reasons: Why it is not valid; empty if it is.
        facts: The main figures in one line.
        groups: All tables, by subject.
    """

    anchor: str
    name: str
    title: str
    subtitle: str
    validity: Cell
    reasons: tuple[str, ...]
    facts: tuple[Fact, ...]
    groups: tuple[Group, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, in the order of their groups."""
        return tuple(table for group in self.groups for table in group.tables)


def level_view(level: LevelMetrics, cost: Cost | None = None, *, brief: bool = False) -> LevelView:
    """Return one load level as the report shows it.

    Args:
        level: The metrics of the load level.
        cost: Cost of the work, the runtime and its nodes, where the run measured it.
        brief: Leave out the detailed tables, for a run with many levels.
    """
    cold = () if brief else cold_starts(level)
    outcomes = (_outcomes(level), *level_accounts.errors(level))
    groups = [
        Group("Failures and recovery", recovery_tables(level), is_open=True),
        Group("Times", (*response_times(level), service_times(level), *cold), is_open=True),
        Group("Steps", step_tables(level), is_open=True),
        Group("Arrivals", open_tables(level), is_open=True),
        Group("Outcomes and errors", outcomes, is_open=True),
        Group("Connections, writes and servers", level_accounts.server_accounts(level)),
        Group("Resources", resources.resource_tables(level, brief=brief)),
    ]
    if not brief:  # a brief view has the verdicts among the facts
        limits = bottleneck_tables(level, level.bottleneck, cost) if level.bottleneck else ()
        flight = (_in_flight(level), *_waits(level))
        groups[4:4] = [Group("Bottleneck", limits), Group("In flight and fairness", flight)]
        groups += [Group("Steady state", steady_tables(level)), Group("Noise", noise_tables(level))]
    if not brief or any(
        end.reason != "done"
        or end.may_be_missing
        or end.left_behind
        or end.replaced
        or end.teardown
        or end.log_dropped_bytes
        for end in level.workers
    ):
        groups.append(Group("Worker processes", (level_accounts.workers(level),)))
    reasons = [escape.visible(reason) for reason in level.reasons]
    if level.validity != "valid":
        reasons.insert(0, labels.VALIDITY[level.validity])
    return LevelView(
        anchor=f"level-{level.index}",
        name=labels.level_name(level),
        title=_title(level),
        subtitle=_subtitle(level),
        validity=labels.validity_of(level),
        reasons=tuple(reasons),
        facts=_facts(level),
        groups=tuple(group for group in groups if group.tables),
    )


def phases_text(level: LevelMetrics) -> str:
    """Return when each phase began and ended, in seconds since the start of the load."""
    spans = [
        f"{labels.PHASES.get(phase, escape.name(phase))} {start:.1f} to {end:.1f} s"
        for phase, (start, end) in level.phases.items()
    ]
    return ", ".join(spans) or "no phase was recorded"


def _title(level: LevelMetrics) -> str:
    name, at = labels.level_name(level), f"{quantity.count(level.concurrency)} in flight"
    if level.open_load is not None:
        return f"{name}: {escape.visible(level.open_load.offered)}"
    if level.thinking is not None:
        at = f"{quantity.count(level.concurrency)} users, {level.thinking.planned}"
    bare = name == str(level.concurrency)
    return at if bare else f"{name}: {at}"


def _subtitle(level: LevelMetrics) -> str:
    started, ended = (
        escape.name(quantity.moment(stamp)) if stamp else quantity.NOT_RECORDED
        for stamp in (level.started_at, level.ended_at)
    )
    return f"{labels.executor(level)} · {started} to {ended}"


def _facts(level: LevelMetrics) -> tuple[Fact, ...]:
    times = level.service_times
    steady = level.phases.get("steady")
    length = None if steady is None else steady[1] - steady[0]
    why = "there was no steady phase"
    # An open-loop level shows its throughput beside the offered rate, in open_facts.
    closed = level.open_load is None
    throughput = (Fact("Throughput", level_cells.throughput_cell(level)),) if closed else ()
    facts = (
        *throughput,
        Fact("Average service time", level_cells.average_cell(times)),
        Fact("p99 service time", level_cells.percentile_cell(times, 0.99)),
        Fact("Errors", level_cells.error_cell(level)),
        Fact("Median in flight", level_cells.in_flight_cell(level)),
        *_thinking(level),
        _samples(level),
        Fact("Steady phase", measured(length, quantity.seconds, why)),
        *_turnovers(level, why),
        resources.cores_fact(level),
    )
    cells = say_once(tuple(fact.cell for fact in facts))
    return (
        *((bottleneck_fact(level.bottleneck),) if level.bottleneck else ()),
        *steady_facts(level),
        *noise_facts(level),
        *open_facts(level),
        *(Fact(fact.term, cell) for fact, cell in zip(facts, cells, strict=True)),
    )


def _thinking(level: LevelMetrics) -> tuple[Fact, ...]:
    """Return the measured think time beside the planned one; empty where slots do not think."""
    if level.thinking is None:
        return ()
    cell = measured(level.thinking.avg_s, quantity.seconds, "nobody paused in the steady phase")
    planned = f"planned {quantity.seconds(level.thinking.planned_avg_s)}"
    return (Fact("Average think time", replace(cell, note=cell.note or planned)),)


def _samples(level: LevelMetrics) -> Fact:
    """Return the number of samples of the level's times, counted as in the tables of levels."""
    if level.response_times is None:
        return Fact("Samples", level_cells.samples_cell(level.service_times))
    return Fact("Samples of response times", level_cells.samples_cell(level.response_times))


def _turnovers(level: LevelMetrics, why: str) -> tuple[Fact, ...]:
    """Return how often all workflows in flight were replaced; empty for an open-loop level."""
    if level.loop == "open":
        return ()
    return (Fact("Turnovers", measured(level.turnovers, quantity.significant, why)),)


def _outcomes(level: LevelMetrics) -> Table:
    known = {**dict.fromkeys(_OUTCOMES, 0), **level.outcomes, **level.steady_outcomes}
    rows = tuple(
        (
            Cell(name),
            number(quantity.count(sum(counts.values()))),
            *(number(quantity.count(counts.get(outcome, 0))) for outcome in known),
        )
        for name, counts in (
            ("scheduled, whole level", level.outcomes),
            ("ended in the steady phase", level.steady_outcomes),
        )
    )
    columns = ("Workflows", "Sum", *(escape.name(outcome) for outcome in known))
    note = "Scheduled is the sum of the outcomes. The whole level includes cold starts."
    basis = quantity.counted(sum(level.outcomes.values()), "workflow")
    return Table("Outcomes", columns, rows, level.validity, basis, note)


def _in_flight(level: LevelMetrics) -> Table:
    flight, fair = level.in_flight, level.fairness
    heads, basis = ("Steady phase", ""), "counted at every start and end"
    why = "there was no steady phase"
    rows = [
        (
            Cell(_planned(level)),
            number(quantity.count(flight.wanted)),
        ),
        (Cell("median in flight"), level_cells.in_flight_cell(level)),
        (Cell("minimum in flight"), measured(flight.minimum, quantity.count, why)),
    ]
    if fair is None and level.loop == "open":
        return Table("In flight", heads, tuple(rows), level.validity, basis)
    if fair is None:
        rows.append((Cell("fairness"), Cell(quantity.NOT_MEASURED, "quiet", why)))
        return Table("In flight", heads, tuple(rows), level.validity, basis)
    starved = quantity.count(fair.starved)
    if fair.starved and fair.slots:
        starved += f" ({quantity.percent(100 * fair.starved / fair.slots)})"
    rows += [
        (Cell("threads"), number(quantity.count(fair.slots))),
        (Cell("threads that ended no workflow"), number(starved)),
        (Cell("workflows of the median thread"), number(quantity.count(fair.median))),
        (Cell("workflows of the busiest thread"), number(quantity.count(fair.maximum))),
        (
            Cell("Jain's index"),
            measured(fair.jain_index, quantity.significant, "no workflow ended"),
        ),
    ]
    title = "In flight, and fairness between threads"
    return Table(title, heads, tuple(rows), level.validity, basis, FAIRNESS)


def _planned(level: LevelMetrics) -> str:
    """Return what the planned number counts."""
    if level.thinking is not None:
        return "users, in flight or thinking"
    return "planned in flight" if level.loop == "closed" else "slots"


def _waits(level: LevelMetrics) -> tuple[Table, ...]:
    flight = level.in_flight
    columns = ("Activity", "Share of samples")
    basis = quantity.counted(flight.wait_samples, "thread sample")
    rows: tuple[tuple[Cell, ...], ...]
    if flight.wait_samples and flight.waits:
        rows = tuple(
            (Cell(_activity(what)), number(quantity.percent(100 * share)))
            for what, share in sorted(flight.waits.items(), key=lambda item: -item[1])
        )
    else:
        rows = ((Cell(quantity.NOT_MEASURED, "quiet", "no thread was sampled"), Cell("")),)
    return (Table("Activity of the threads", columns, rows, level.validity, basis),)


def _activity(key: str) -> str:
    """Return one of the activities that ``worker/waits.py`` samples, for people."""
    if key in _ACTIVITIES:
        return _ACTIVITIES[key]
    return f"waiting for the answer of {labels.service_name(key)}"


_ACTIVITIES = {
    "runtime": "running, or waiting for the interpreter",
    "pool": "waiting for a free connection of the pool",
    "queued": "queued in the runtime",
    "unknown": "unknown",
}
