"""Evidence for a cause: each measured value beside the bound that the cause needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from perf_pipeline.metrics.types.bottleneck import Evidence, Verdict

Key = Literal[
    "gaps",
    "harness",
    "cpu",
    "cpu_limit",
    "cpu_quota",
    "interpreter_lock",
    "server_cpu",
    "server_locks",
    "disk",
    "connection_pool",
    "runtime_queue",
    "server_slow",
]
"""Kind of a suspect, finer than its verdict: some kinds explain others."""

BUSY = 0.9
"""From this share on a resource counts as used up: at most a ninth more is available."""

HALF = 0.5
"""From this share of the workflows' time on, a place is where a level's time goes: making it
faster by any factor gains more than making all the rest faster by the same."""

TENTH = 0.1
"""Smaller shares do not differ from the differences between two equal runs."""


@dataclass(frozen=True)
class Suspect:
    """A cause that a level may have.

    Attributes:
        key: Its kind, for the rule that some causes explain others.
        verdict: Its verdict of the closed list.
        cause: Its name for people.
        why: What it means for this level; true if it holds.
        evidence: All that must hold.
    """

    key: Key
    verdict: Verdict
    cause: str
    why: str
    evidence: tuple[Evidence, ...]

    @property
    def subject(self) -> str:
        """The server that has the cause, or the kind of cause."""
        return self.cause.partition(":")[0]

    @property
    def holds(self) -> bool | None:
        """False when evidence contradicts it, None when evidence is only missing."""
        answers = {each.holds for each in self.evidence}
        return False if False in answers else None if None in answers else True


def need(
    what: str,
    value: float | None,
    unit: str,
    *,
    minimum: float | None = -math.inf,
    maximum: float | None = math.inf,
) -> Evidence:
    """Compare a value with the bounds that a cause needs.

    Args:
        what: What was measured.
        value: The value; None when it was not measured.
        unit: Of all three.
        minimum: Lower bound; None when it is unknown, which decides nothing.
        maximum: Upper bound, likewise.
    """
    holds = None
    if value is not None and minimum is not None and maximum is not None:
        holds = minimum <= value <= maximum
    low = None if minimum == -math.inf else minimum
    return Evidence("", what, value, unit, low, None if maximum == math.inf else maximum, holds)


def suspect(key: Key, verdict: Verdict, cause: str, why: str, *needs: Evidence) -> Suspect:
    """Return a suspect whose evidence is marked with its cause."""
    return Suspect(key, verdict, cause, why, tuple(replace(each, cause=cause) for each in needs))


def percent(value: float | None, of: float | None = 1.0) -> float | None:
    """Return ``value`` as a percentage of ``of``; None when either is not known, or ``of`` is 0."""
    return None if value is None or not of else 100 * value / of


def amount(value: float | None) -> str:
    """Return a value for a sentence, to a hundredth below 100."""
    if value is None:
        return "?"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{round(value, 2):g}"  # noqa: PLR2004
