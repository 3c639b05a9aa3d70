"""Stages of closed load: one number of workflows in flight after the other, in the same workers.

Each stage is a level of its own, with its own figures: a mean over different loads means nothing.
Unlike two levels, two stages share worker processes, connections and caches, and the load between
them rises or falls without a stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.duration import seconds_in
from perf_pipeline.config.scenario.key_names import key_name
from perf_pipeline.config.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.config.scenario.keys import Key
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario

STAGE = "stage"


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        label: Name in the report and of a folder; unique in the scenario.
        concurrency: Workflows in flight; 0, only at the end, lets the load fall before it stops.
        steady_s: Minimum length of its steady phase; None for that of ``[phases]``.
        ramp_s: From the number in flight before it to its own; None for a time by the difference.
    """

    label: str
    concurrency: int
    steady_s: float | None = None
    ramp_s: float | None = None


def stages_of(tables: Iterable[dict[str, Any]]) -> tuple[Stage, ...]:
    """Make the stages of ``[[stage]]`` tables, whose values fit their keys already."""
    return tuple(
        Stage(**{"label": f"stage{number}", **table}) for number, table in enumerate(tables, 1)
    )


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


def measured(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Return the stages that are measured: all but a last one that lets the load fall to 0."""
    return tuple(stage for stage in stages if stage.concurrency)


def check_stages(scenario: Scenario, problems: Problems) -> None:
    """Add a problem for each stage that contradicts its neighbours or the phases."""
    last, longest_s = len(scenario.stages) - 1, scenario.phases.steady_max_s
    for index, stage in enumerate(scenario.stages):
        here = (STAGE, index)
        if not stage.concurrency and (index < last or not index):
            problems.at(
                (*here, "concurrency"),
                "is 0; allowed is 0 for the last of several stages alone: without load there is "
                "nothing to measure. For a pause, make two levels and phases.cooldown_s.",
            )
        elif not stage.concurrency and stage.steady_s is not None:
            problems.at(
                (*here, "steady_s"),
                "is given, but with 0 in flight nothing is measured; its ramp says how long the "
                "load falls.",
            )
        elif stage.steady_s is not None and stage.steady_s > longest_s:
            problems.at(
                (*here, "steady_s"),
                f"is {stage.steady_s:g}, above phases.{key_name('phases', 'steady_max_s')} "
                f"({longest_s:g}), the maximum length of a phase; raise that.",
            )
