"""The table of the flags of a search for capacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from perf_pipeline.config.flags.flag import flag
from perf_pipeline.config.scenario.keys import SLOTS, Key

LoadKind = Literal["in_flight", "rate"]
KINDS: tuple[LoadKind, ...] = ("in_flight", "rate")

_OF = Key("of", "text", "what is searched for", choices=KINDS)
_MAX = Key("max", "number", "greatest load that is tried", 0.1, 10_000_000)
_START = Key("start", "number", "load of the first step", 0.1, 10_000_000)


@dataclass(frozen=True)
class CapacityFlags:
    """The flags that were given; None where one was not.

    Attributes:
        of: Kind of the load: ``in_flight`` of a closed loop, or ``rate`` of an open one, Poisson.
        max_load: Greatest load that is tried.
        start: Load of the first step.
        slots: Maximum number of workflows in flight, when the load is a rate.
    """

    of: str = flag(
        "--of",
        _OF,
        "Kind of the load, closed loop or open loop (Poisson)",
        "Search",
        default="in_flight",
    )
    max_load: float | None = flag(
        "--max", _MAX, "Greatest load; default: the limit of the machine", "Search", metavar="LOAD"
    )
    start: float | None = flag(
        "--start",
        _START,
        "First load; default: the scenario's smallest level, or 10",
        "Search",
        metavar="LOAD",
    )
    slots: int | None = flag(
        "--slots", SLOTS, "Maximum of workflows in flight, of a rate", "Search", metavar="N"
    )
