"""The table of the flags of a trace of allocations: how much is played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.flags.flag import flag, flags_of
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.keys import Key

if TYPE_CHECKING:
    from perf_pipeline.config.flags.flag import Flag

_WARM_UP = Key("warm_up_workflows", "integer", "workflows before the first snapshot", 0, 10_000_000)
_WORKFLOWS = Key("interval_workflows", "integer", "workflows an interval", 1, 10_000_000)
_INTERVALS = Key("intervals", "integer", "intervals of equal work", 4, 1000)
_LIMIT = Key("limit_s", "number", "s, maximum time of the level", 1, 86_400)


@dataclass(frozen=True)
class AllocationFlags:
    """The flags that were given; None where one was not.

    Attributes:
        warm_up_workflows: Workflows before the first snapshot.
        interval_workflows: Workflows between two snapshots.
        intervals: Intervals of equal work that are traced.
        limit_s: Maximum time of the level, seconds.
    """

    warm_up_workflows: int | None = flag(
        "--warm-up",
        _WARM_UP,
        "Workflows before the first snapshot, in which caches fill; default: 2500",
        "Measurement",
        metavar="N",
    )
    interval_workflows: int | None = flag(
        "--workflows",
        _WORKFLOWS,
        "Workflows between two snapshots; default: 500",
        "Measurement",
        metavar="N",
    )
    intervals: int | None = flag(
        "--intervals",
        _INTERVALS,
        "Intervals between snapshots; default: 6",
        "Measurement",
        metavar="N",
    )
    limit_s: float | None = flag(
        "--limit",
        _LIMIT,
        "End when the level has taken this long: 10m, 2h, or seconds; default: 15m",
        "Measurement",
        metavar="TIME",
    )


_OF_RUNS = ("target", "settings", "nodes", "complexity", "seed")
"""What it plays is a closed load of one worker process without objectives or failures."""


def flags_for_allocations() -> tuple[Flag, ...]:
    """Return the flags of ``run`` that a trace of allocations has as well."""
    return tuple(one for one in flags_of(Overrides) if one.field in _OF_RUNS)
