"""Stages of closed load: one number of workflows in flight after the other, in the same workers.

Each stage is a level of its own, with its own figures: a mean over different loads means nothing.
Unlike two levels, two stages share worker processes, connections and caches, and the load between
them rises or falls without a stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


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


def measured(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Return the stages that are measured: all but a last one that lets the load fall to 0."""
    return tuple(stage for stage in stages if stage.concurrency)
