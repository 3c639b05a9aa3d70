"""What a search for capacity looks for: kind of the load, its limits and the objectives."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from perf_pipeline.config.flags.capacity_flags import CapacityFlags
from perf_pipeline.config.flags.flag import check_flags, fitting_flags
from perf_pipeline.config.level_bounds import largest_level, mode_of
from perf_pipeline.config.machine import processes_of
from perf_pipeline.config.scenario.arrivals import MAX_ARRIVALS
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.flags.capacity_flags import LoadKind
    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.scenario import Scenario

FAILURES = Slo("error_ratio", 0.05)
"""Added where no objective is about failures: a target that fails at once is fast."""

MIN_RATE_PER_S = 0.1
FIRST_IN_FLIGHT, FIRST_RATE_PER_S = 10, 10.0
LONGER = 4.0
"""A step that did not decide is repeated, this many times as long: half as wide an interval."""


@dataclass(frozen=True)
class CapacityQuestion:
    """The greatest load, of one kind, that keeps objectives.

    Attributes:
        of: ``in_flight`` of a closed loop, or ``rate`` of an open one, Poisson.
        start: Load of the first step.
        min_load: Smallest load that may be tried.
        max_load: Greatest load that may be tried.
        slots: Maximum number of workflows in flight, when the load is a rate.
        slos: The objectives; not empty.
    """

    of: LoadKind
    start: float
    min_load: float
    max_load: float
    slots: int
    slos: tuple[Slo, ...]


def capacity_question(
    scenario: Scenario, machine: MachineLimits, asked: CapacityFlags | None = None
) -> CapacityQuestion:
    """Make the question that flags ask about a scenario.

    Args:
        scenario: Checked, with the objectives that flags add.
        machine: Its limits bound the number in flight unless ``max_load`` is below them.
        asked: The flags; None for the defaults: in flight, from the scenario's smallest level.

    Raises:
        ScenarioError: With every problem.
    """
    found = Problems("capacity")
    check_flags(asked or CapacityFlags(), found)
    given = fitting_flags(asked or CapacityFlags())
    kind = cast("LoadKind", given.of)
    bound = largest_level(machine, processes_of(scenario, machine), mode_of(scenario.target))
    if kind == "in_flight":
        allowed, smallest, why = float(bound.level), 1.0, bound.arithmetic
    else:
        length_s = scenario.phases.warm_up_s + LONGER * scenario.phases.steady_s
        allowed, smallest = MAX_ARRIVALS / length_s, MIN_RATE_PER_S
        why = f"{MAX_ARRIVALS:,} arrivals in {length_s:g} s"
    greatest = allowed if given.max_load is None else float(given.max_load)
    start = None if given.start is None else float(given.start)
    problems = [*found.sentences(), *_slo_problems(scenario)]
    if scenario.faults:
        problems.append(f"{scenario.name} has faults, and a search plays none: give --fault none")
    if not smallest <= greatest <= allowed:
        problems.append(f"--max is {greatest:g}; allowed is {smallest:g} to {allowed:g} ({why})")
    if start is not None and not smallest <= start <= greatest:
        problems.append(f"--start is {start:g}; allowed is {smallest:g} to --max, {greatest:g}")
    whole = [greatest, start or 1.0] if kind == "in_flight" else []
    if any(not load.is_integer() for load in whole):
        problems.append("--max and --start are workflows in flight: whole numbers")
    if given.slots is not None and kind == "in_flight":
        problems.append("--slots is for --of rate; what is in flight is what is searched for")
    if given.slots is not None and not 1 <= given.slots <= bound.level:
        allowed_slots = f"allowed is 1 to {bound.level} ({bound.arithmetic})"
        problems.append(f"--slots is {given.slots}; {allowed_slots}")
    if problems:
        raise ScenarioError(problems)
    own = max((one.slots for one in scenario.arrivals), default=min(1000, bound.level))
    return CapacityQuestion(
        of=kind,
        start=min(_first(kind, scenario) if start is None else start, greatest),
        min_load=smallest,
        max_load=greatest,
        slots=own if given.slots is None else given.slots,
        slos=with_failures(scenario),
    )


def _slo_problems(scenario: Scenario) -> list[str]:
    if not scenario.slos:
        return ["there is no objective, so any load would do; give one, like --slo 'p95 < 100ms'"]
    return [
        f"the objective {slo.text!r} is about one level alone; a search has its own levels"
        for slo in scenario.slos
        if slo.level is not None
    ]


def with_failures(scenario: Scenario) -> tuple[Slo, ...]:
    """Return the objectives; none ends a level, and one of them is about failures."""
    slos = tuple(replace(slo, abort=False) for slo in scenario.slos)
    has_own = any(slo.metric == "error_ratio" and slo.family is None for slo in slos)
    return slos if has_own else (*slos, FAILURES)


def _first(kind: LoadKind, scenario: Scenario) -> float:
    if kind == "in_flight":
        named = (level.concurrency for level in scenario.levels)
        return float(min((*scenario.concurrency, *named), default=FIRST_IN_FLIGHT))
    rates = [one.rate_per_s for one in scenario.arrivals if one.schedule in ("poisson", "constant")]
    return min(rates, default=FIRST_RATE_PER_S)


MAX_STEPS = 12
GROWTH = 4.0
RESOLUTION = 0.02
"""The search ends when neighbours differ by less; the finding must be within 5 % of the truth, of
which the uncertainty of the metric takes its share."""


@dataclass(frozen=True)
class Space:
    """Which loads may be tried, and how many.

    Attributes:
        start: The first; ``minimum`` <= start <= ``maximum``.
        minimum: The smallest load; > 0.
        maximum: The greatest load.
        whole: True where a load is a whole number.
        resolution: Neighbours that differ by less (as a ratio) are near enough.
        max_steps: Maximum number of loads tried; a repetition belongs to its step.
        growth: Factor between the first ones; > 1.
    """

    start: float
    minimum: float
    maximum: float
    whole: bool
    resolution: float = RESOLUTION
    max_steps: int = MAX_STEPS
    growth: float = GROWTH

    def __post_init__(self) -> None:
        """Refuse a space in which nothing can be searched.

        Raises:
            ValueError: With the values.
        """
        if not (0 < self.minimum <= self.start <= self.maximum and math.isfinite(self.maximum)):
            raise ValueError(
                f"minimum {self.minimum}, start {self.start}, maximum {self.maximum}: "
                "they must be finite, above 0, and in this order"
            )
        if self.max_steps < 1 or self.growth <= 1 or self.resolution <= 0:
            raise ValueError(
                f"max_steps {self.max_steps} (at least 1), growth {self.growth} (above 1), "
                f"resolution {self.resolution} (above 0)"
            )
