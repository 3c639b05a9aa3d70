"""What the flags of ``run`` change in the stages of a scenario.

- ``--stage N:TIME...`` takes the place of all levels and arms; levels of ``--concurrency`` and
  ``--rate`` stay if they are given too.
- ``--concurrency`` and ``--rate`` without ``--stage`` leave out the scenario's stages.
- ``--duration`` is the length of the stages that have none of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.duration import seconds_in
from perf_pipeline.config.scenario.keys import REPEATED
from perf_pipeline.config.scenario.stages import STAGE, Stage
from perf_pipeline.config.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.config.scenario.keys import Key
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario


def with_stages(scenario: Scenario, given: Overrides, problems: Problems) -> Scenario:
    """Return the scenario with its stages as the flags want them."""
    if given.stages is None:
        if given.concurrency is None and given.rate is None:
            return scenario
        return replace(scenario, stages=())
    problems.replaced((STAGE,), "--stage")
    stages = flag_stages(given.stages, REPEATED[STAGE], problems)
    if given.concurrency is None:
        scenario = replace(scenario, concurrency=(), level_names=(), arms=())
    if given.rate is None:
        scenario = replace(scenario, arrivals=())
    return replace(scenario, stages=stages)


def flag_stages(texts: Iterable[str], keys: Iterable[Key], problems: Problems) -> tuple[Stage, ...]:
    """Make stages of ``50:60s``, in flight and for how long; ``0:10s`` falls to 0 in 10 s.

    Args:
        texts: One a stage.
        keys: The keys of a ``[[stage]]`` table.
        problems: Receives what is wrong.
    """
    by_name = {key.name: key for key in keys}
    stages = []
    for number, text in enumerate(texts, 1):
        in_flight, _, time = text.partition(":")
        length_s = seconds_in(time)
        if not (in_flight.isascii() and in_flight.isdecimal()) or length_s is None:
            form = "workflows in flight and a length of time, such as 50:60s"
            problems.flag("--stage", f"is {shown(text)}; allowed is {form}.")
            continue
        count, field = int(in_flight[:9]), "steady_s" if int(in_flight[:9]) else "ramp_s"
        wrong = [*by_name["concurrency"].problems_of(count), *by_name[field].problems_of(length_s)]
        for _, tail in wrong:
            problems.flag("--stage", f"is {shown(text)}, where a value {tail}")
        if not wrong:
            falls = field == "ramp_s"
            stages.append(
                Stage(
                    f"stage{number}",
                    count,
                    steady_s=None if falls else length_s,
                    ramp_s=length_s if falls else None,
                )
            )
    return tuple(stages)
