"""One level or arm as tables: how fast, how it ended, and how evenly."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from perf_pipeline.report import headline, level_accounts, quantity, resources, text, words
from perf_pipeline.report.bottleneck import bottleneck_fact, bottleneck_tables
from perf_pipeline.report.noise import noise_facts, noise_tables
from perf_pipeline.report.open_level import open_facts, open_tables
from perf_pipeline.report.steady import steady_facts, steady_tables
from perf_pipeline.report.table import Cell, Fact, Table, measured, number, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.level import ColdStart, LevelMetrics, ServiceTimes
    from perf_pipeline.report.cost import Cost

SERVICE_TIMES = (
    "From handing a workflow to the target until its checked answer. The average is time in "
    "flight / workflows ended, so workflows that never ended weigh as well; min is of those that "
    "ended, max of all."
)
RESPONSE_TIMES = (
    "From the moment at which a workflow was to start until its checked answer, with the wait "
    "before its start. What was dropped, timed out or cut short counts as at least so long."
)
FAIR = (
    "Jain's index is 1 when all threads were served alike and 1 / threads when one got everything."
)
_OUTCOMES = ("ok", "error", "timeout", "dropped", "abandoned")


@dataclass(frozen=True)
class Group:
    """Tables of one subject.

    Attributes:
        title: The subject.
        tables: At least one.
        first: Whether it is read before one asks for it; the others may be folded.
    """

    title: str
    tables: tuple[Table, ...]
    first: bool = False


@dataclass(frozen=True)
class LevelView:
    """What the report shows of one level.

    Attributes:
        anchor: Its place in the page.
        name: What it is called in the tables.
        title: The same, with how many were in flight.
        subtitle: What executed the workflows, and when.
        validity: The verdict.
        reasons: Why it is not valid.
        facts: Throughput, errors and in flight in one line.
        groups: Everything else, by subject.
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
    """Return one level as the report shows it.

    Args:
        level: The level.
        cost: What the work, the runtime and its nodes cost apart, where the run has it.
        brief: Without the tables that only one level of many makes worth reading.
    """
    limited = level.bottleneck
    groups = (
        Group(
            "Times",
            (*_response_times(level), _service_times(level), *_cold_starts(level)),
            first=True,
        ),
        Group("Arrivals", open_tables(level), first=True),
        Group("Outcomes and errors", (_outcomes(level), *level_accounts.errors(level)), first=True),
        Group("What limits it", bottleneck_tables(level, limited, cost) if limited else ()),
        Group("In flight and fairness", (_in_flight(level), *_waits(level))),
        Group("Connections, writes and servers", level_accounts.server_accounts(level)),
        Group("Resources", resources.resource_tables(level, brief=brief)),
        Group("Steady state", steady_tables(level)),
        Group("Noise", noise_tables(level)),
        Group("Workers", (level_accounts.workers(level),)),
    )
    reasons = [text.visible(reason) for reason in level.reasons]
    if level.validity != "valid":
        reasons.insert(0, words.VALIDITY[level.validity])
    return LevelView(
        anchor=f"level-{level.index}",
        name=words.level_name(level),
        title=_title(level),
        subtitle=_subtitle(level),
        validity=words.validity_cell(level.validity),
        reasons=tuple(reasons),
        facts=_facts(level),
        groups=tuple(group for group in groups if group.tables),
    )


def phases_in_words(level: LevelMetrics) -> str:
    """Return when each phase began and ended, in seconds since the level's go."""
    spans = [
        f"{words.PHASES.get(phase, text.name(phase))} {start:.1f} to {end:.1f} s"
        for phase, (start, end) in level.phases.items()
    ]
    return ", ".join(spans) or "no phase was recorded"


def _title(level: LevelMetrics) -> str:
    name, at = words.level_name(level), f"{quantity.count(level.concurrency)} in flight"
    bare = name == str(level.concurrency)
    return at if bare else f"{name}: {at}"


def _subtitle(level: LevelMetrics) -> str:
    started, ended = (
        text.name(quantity.moment(stamp)) if stamp else quantity.NOT_RECORDED
        for stamp in (level.started_at, level.ended_at)
    )
    return f"{words.executor(level)} · {started} to {ended}"


def _facts(level: LevelMetrics) -> tuple[Fact, ...]:
    times = level.service_times
    steady = level.phases.get("steady")
    length = None if steady is None else steady[1] - steady[0]
    why = "there was no steady phase"
    facts = (
        Fact("Throughput", headline.throughput_cell(level)),
        Fact("Average service time", headline.average_cell(times)),
        Fact("p99", headline.percentile_cell(times, 0.99)),
        Fact("Errors", headline.error_cell(level)),
        Fact("Median in flight", headline.in_flight_cell(level)),
        Fact("Samples", headline.samples_cell(times)),
        Fact("Steady phase", measured(length, quantity.seconds, why)),
        Fact("Turnovers", measured(level.turnovers, quantity.significant, why)),
        resources.cores_fact(level),
    )
    cells = say_once(tuple(fact.cell for fact in facts))
    limited = (bottleneck_fact(level.bottleneck),) if level.bottleneck else ()
    limited = (*limited, *steady_facts(level), *noise_facts(level), *open_facts(level))
    told = (Fact(fact.term, cell) for fact, cell in zip(facts, cells, strict=True))
    return (*limited, *told)


def _service_times(level: LevelMetrics) -> Table:
    heads = ("Workflows", "Samples", "Not ended", "Throughput", "Errors", "Average")
    columns = (*heads, "min", "p50", "p90", "p99", "max")
    head = (headline.throughput_cell(level), headline.error_cell(level))
    rows = [_times_row("all", level.service_times, head)]
    for family in level.families:
        errors = None if family.error_ratio is None else 100 * family.error_ratio
        head = (
            measured(family.throughput_per_s, quantity.rate, "there was no steady phase"),
            measured(errors, quantity.percent, "none ended"),
        )
        name = text.name(f"{family.family} {family.complexity}".strip())
        rows.append(_times_row(name, family.service_times, head))
    basis = quantity.counted(level.service_times.samples, "workflow")
    title = f"{words.service_time(level)} in the steady phase"
    return Table(title, columns, tuple(rows), level.validity, basis, SERVICE_TIMES)


def _response_times(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the response times; only an open level has them."""
    times = level.response_times
    if times is None:
        return ()
    why = "no workflow was to start in the steady phase"
    row = (
        Cell("all"),
        headline.samples_cell(times),
        headline.unended_cell(times),
        measured(times.avg_s, quantity.seconds, why),
        measured(times.min_s, quantity.seconds, why),
        *(headline.percentile_cell(times, p) for p in headline.PERCENTILES),
        measured(times.max_s, quantity.seconds, why),
    )
    heads = ("Workflows", "Answered", "Not answered", "Average", "min", "p50", "p90", "p99", "max")
    title, basis = "Response time (open loop)", quantity.counted(times.samples, "workflow")
    return (Table(title, heads, (say_once(row),), level.validity, basis, RESPONSE_TIMES),)


def _times_row(name: str, times: ServiceTimes, head: tuple[Cell, Cell]) -> tuple[Cell, ...]:
    why = headline.why_no_time(times)
    row = (
        Cell(name),
        headline.samples_cell(times),
        headline.unended_cell(times),
        *head,
        headline.average_cell(times),
        measured(times.min_s, quantity.seconds, why),
        *(headline.percentile_cell(times, p) for p in headline.PERCENTILES),
        measured(times.max_s, quantity.seconds, why),
    )
    return say_once(row)


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
    columns = ("Workflows", "Sum", *(text.name(outcome) for outcome in known))
    note = "Scheduled is the sum of the outcomes; cold starts are in the whole level."
    basis = quantity.counted(sum(level.outcomes.values()), "workflow")
    return Table("What became of the workflows", columns, rows, level.validity, basis, note)


def _in_flight(level: LevelMetrics) -> Table:
    flight, fair = level.in_flight, level.fairness
    heads, basis = ("Steady phase", ""), "counted at every start and end"
    why = "there was no steady phase"
    rows = [
        (Cell("wanted in flight"), number(quantity.count(flight.wanted))),
        (Cell("median in flight"), headline.in_flight_cell(level)),
        (Cell("least in flight"), measured(flight.least, quantity.count, why)),
    ]
    if fair is None:
        rows.append((Cell("fairness"), Cell(quantity.NOT_MEASURED, "quiet", why)))
        return Table("In flight", heads, tuple(rows), level.validity, basis)
    starved = quantity.count(fair.starved)
    if fair.starved and fair.slots:
        starved += f" ({quantity.percent(100 * fair.starved / fair.slots)})"
    rows += [
        (Cell("threads"), number(quantity.count(fair.slots))),
        (Cell("threads that ended nothing"), number(starved)),
        (Cell("workflows of the median thread"), number(quantity.count(fair.median))),
        (Cell("workflows of the best served thread"), number(quantity.count(fair.most))),
        (
            Cell("Jain's index"),
            measured(fair.jain_index, quantity.significant, "no workflow ended"),
        ),
    ]
    title = "In flight, and how evenly served"
    return Table(title, heads, tuple(rows), level.validity, basis, FAIR)


def _waits(level: LevelMetrics) -> tuple[Table, ...]:
    flight = level.in_flight
    columns = ("Seen doing", "Share")
    basis = quantity.counted(flight.wait_samples, "thread sample")
    rows: tuple[tuple[Cell, ...], ...]
    if flight.wait_samples and flight.waits:
        rows = tuple(
            (Cell(_WAITS.get(what, text.name(what))), number(quantity.percent(100 * share)))
            for what, share in sorted(flight.waits.items(), key=lambda item: -item[1])
        )
    else:
        rows = ((Cell(quantity.NOT_MEASURED, "quiet", "no thread was sampled"), Cell("")),)
    return (Table("What the threads were doing", columns, rows, level.validity, basis),)


_WAITS = {
    "runtime": "running, or waiting for the interpreter",
    "pool": "waiting for a free connection of the pool",
    "postgres": "waiting for PostgreSQL's answer",
    "redis": "waiting for Redis's answer",
}


def _cold_starts(level: LevelMetrics) -> tuple[Table, ...]:
    kinds: dict[str, list[ColdStart]] = {}
    for start in level.cold_starts:
        kinds.setdefault(f"{start.family} {start.complexity}", []).append(start)
    rows = []
    for kind, starts in kinds.items():
        times = [start.service_time_s for start in starts]
        failed = sum(start.outcome != "ok" for start in starts)
        spread = (min(times), median(times), max(times))
        cells = (number(quantity.seconds(value)) for value in spread)
        rows.append(
            (Cell(text.name(kind)), number(quantity.count(len(starts))), *cells, _failed(failed))
        )
    if not rows:
        return ()
    columns = ("First execution of", "Processes", "least", "median", "most", "not ok")
    basis = quantity.counted(len(level.cold_starts), "cold start")
    note = "The first execution of a kind in a process; in none of the other numbers."
    return (Table("Cold starts", columns, tuple(rows), level.validity, basis, note),)


def _failed(failed: int) -> Cell:
    return Cell(quantity.count(failed), "bad" if failed else "number")
