"""What a search for capacity looks for: the greatest load of which kind, up to where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from perf_pipeline.config.machine import largest_level, mode_of, processes_of
from perf_pipeline.config.scenario.arrivals import MAX_ARRIVALS
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.scenario import Scenario

LoadKind = Literal["in_flight", "rate"]
KINDS: tuple[LoadKind, ...] = ("in_flight", "rate")

FAILURES = Slo("error_ratio", 0.05)
"""Holds where nothing else is said of failures: a target that fails at once is fast."""

MIN_RATE_PER_S = 0.1
FIRST_IN_FLIGHT, FIRST_RATE_PER_S = 10, 10.0
LONGER = 4.0
"""A step that did not decide is played again, so many times as long: half as wide an interval."""


@dataclass(frozen=True)
class CapacityQuestion:
    """The greatest load, of one kind, that keeps objectives.

    Attributes:
        of: ``in_flight`` of a closed loop, or ``rate`` of an open one, Poisson.
        start: The first load.
        least: The least.
        most: The greatest.
        slots: Workflows in flight at most, when the question is a rate.
        slos: The objectives; not empty.
    """

    of: LoadKind
    start: float
    least: float
    most: float
    slots: int
    slos: tuple[Slo, ...]


def capacity_question(
    scenario: Scenario,
    machine: MachineLimits,
    *,
    of: str = "in_flight",
    most: float | None = None,
    start: float | None = None,
    slots: float | None = None,
) -> CapacityQuestion:
    """Make the question that flags ask about a scenario.

    Args:
        scenario: Checked, with the objectives that flags add.
        machine: What it can hold: the greatest number in flight unless ``most`` says less.
        of: A name of ``KINDS``.
        most: The greatest load; None for what the machine can hold.
        start: The first load; None for the least level of the scenario, or 10.
        slots: Workflows in flight at most, of a rate; None for those of the scenario, or 1000.

    Raises:
        ScenarioError: With every problem.
    """
    kind = next((known for known in KINDS if known == of), None)
    if kind is None:
        told = f"--of is {of!r}; it must be one of {', '.join(KINDS)}"
        raise ScenarioError([told, *_slo_problems(scenario)])
    bound = largest_level(machine, processes_of(scenario, machine), mode_of(scenario.target))
    if kind == "in_flight":
        allowed, least, why = float(bound.level), 1.0, bound.arithmetic
    else:
        length_s = scenario.phases.warm_up_s + LONGER * scenario.phases.steady_s
        allowed, least = MAX_ARRIVALS / length_s, MIN_RATE_PER_S
        why = f"{MAX_ARRIVALS:,} arrivals in {length_s:g} s"
    greatest = allowed if most is None else most
    problems = _slo_problems(scenario)
    if not least <= greatest <= allowed:
        problems.append(f"--max is {greatest:g}; allowed is {least:g} to {allowed:g} ({why})")
    if start is not None and not least <= start <= greatest:
        problems.append(f"--start is {start:g}; allowed is {least:g} to --max, {greatest:g}")
    whole = [greatest, start or 1.0] if kind == "in_flight" else []
    if any(not load.is_integer() for load in (*whole, slots or 1.0)):
        problems.append("--max, --start and --slots are workflows in flight: whole numbers")
    if slots is not None and kind == "in_flight":
        problems.append("--slots is for --of rate; what is in flight is what is searched for")
    if slots is not None and not 1 <= slots <= bound.level:
        problems.append(f"--slots is {slots:g}; allowed is 1 to {bound.level} ({bound.arithmetic})")
    if problems:
        raise ScenarioError(problems)
    own = max((one.slots for one in scenario.arrivals), default=min(1000, bound.level))
    return CapacityQuestion(
        of=kind,
        start=min(_first(kind, scenario) if start is None else start, greatest),
        least=least,
        most=greatest,
        slots=own if slots is None else int(slots),
        slos=with_failures(scenario),
    )


def _slo_problems(scenario: Scenario) -> list[str]:
    if not scenario.slos:
        return ["there is no objective, so any load would do; give one, like --slo 'p99_s < 0.5'"]
    return [
        f"the objective {slo.text!r} is about one level alone; a search plays levels of its own"
        for slo in scenario.slos
        if slo.level is not None
    ]


def with_failures(scenario: Scenario) -> tuple[Slo, ...]:
    """Return the objectives; none ends a level, and one of them is about failures."""
    slos = tuple(replace(slo, abort=False) for slo in scenario.slos)
    said = any(slo.metric == "error_ratio" and slo.family is None for slo in slos)
    return slos if said else (*slos, FAILURES)


def _first(kind: LoadKind, scenario: Scenario) -> float:
    if kind == "in_flight":
        return float(min(scenario.concurrency, default=FIRST_IN_FLIGHT))
    rates = [one.rate_per_s for one in scenario.arrivals if one.schedule in ("poisson", "constant")]
    return min(rates, default=FIRST_RATE_PER_S)
