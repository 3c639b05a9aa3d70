"""A signal of a long run: what a resource held, again and again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SignalSeries:
    """The samples of one signal.

    Attributes:
        name: As ``target.heap_blocks``.
        seconds: When each sample was taken; ascending.
        values: In the unit of the signal, finite; as many.
        workflows: How many had ended at each; None where they were not counted.
        limit: Value that the signal must not reach; None where there is none.
        excluded: Windows of time that are left out, as of failures: start and end in seconds.
    """

    name: str
    seconds: tuple[float, ...]
    values: tuple[float, ...]
    workflows: tuple[float, ...] | None = None
    limit: float | None = None
    excluded: tuple[tuple[float, float], ...] = ()
