"""What is worse now, by a history or by a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.alert import Movement


class Seen(NamedTuple):
    """A movement, and the runs of which each may be the first bad one.

    Attributes:
        scenario: The scenario of its runs.
        movement: What moved.
        earliest: The first of these runs.
        latest: The last of them; of a comparison both are its oldest candidate.
        is_recent: Whether it may raise a new alert.
    """

    scenario: str
    movement: Movement
    earliest: str
    latest: str
    is_recent: bool = True
