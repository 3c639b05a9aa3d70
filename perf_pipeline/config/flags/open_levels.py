"""What the flags of ``run`` change in the open levels of a scenario.

- ``--rate R...`` takes the place of all levels: one open level a rate, Poisson unless
  ``--schedule`` says constant, with the warm-up and the steady phase of the scenario (or of
  ``--duration``) for its length. Closed levels stay with ``--concurrency`` alone; arms, which are
  there to be compared with closed levels, likewise.
- ``--concurrency`` without ``--rate`` leaves out the open levels.
- ``--slots`` applies to every open level.
- ``--duration`` is the measured part of every open level; the warm-up comes on top of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from perf_pipeline.config.scenario.arrivals import Arrivals

if TYPE_CHECKING:
    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.config.scenario.arrivals import Schedule
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario


def with_open_levels(scenario: Scenario, given: Overrides, problems: Problems) -> Scenario:
    """Return the scenario with the flags of open levels in place; other flags are already."""
    if given.rate is None and given.schedule is not None:
        problems.flag("--schedule", "says how the rates of --rate arrive, and there is none.")
    if given.rate is not None:
        scenario = _with_rates(scenario, given)
    elif given.concurrency is not None:
        return replace(scenario, arrivals=())
    if given.slots is None and given.duration is None:
        return scenario
    if given.slots is not None and not scenario.arrivals:
        problems.flag("--slots", "is given, but there is no open level; give rates with --rate.")
    return replace(
        scenario, arrivals=tuple(_changed(a, scenario, given) for a in scenario.arrivals)
    )


def _with_rates(scenario: Scenario, given: Overrides) -> Scenario:
    arrivals = tuple(
        Arrivals(
            label=f"{rate:g}-per-s",
            schedule=cast("Schedule", given.schedule or Arrivals.schedule),
            rate_per_s=float(rate),
            duration_s=scenario.phases.warm_up_s + scenario.phases.steady_s,
        )
        for rate in given.rate or ()
    )
    closed = (
        scenario
        if given.concurrency
        else replace(scenario, concurrency=(), level_names=(), arms=())
    )
    return replace(closed, arrivals=arrivals)


def _changed(arrivals: Arrivals, scenario: Scenario, given: Overrides) -> Arrivals:
    length_s = arrivals.duration_s
    if given.duration is not None:
        length_s = scenario.phases.warm_up_s + float(given.duration)
    return replace(arrivals, slots=given.slots or arrivals.slots, duration_s=length_s)
