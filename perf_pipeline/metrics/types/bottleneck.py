"""What limits a load level, with the evidence."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal[
    "interpreter_lock",
    "cpu",
    "connection_pool",
    "runtime_queue",
    "server",
    "disk",
    "generator",
    "unclear",
]


@dataclass(frozen=True)
class Evidence:
    """One thing that must hold for a cause, or that a reader should know beside it.

    Attributes:
        cause: The cause that needs it; empty when it decides nothing.
        what: What was looked at.
        value: What was seen; None when it was not measured.
        unit: ``%``, ``cores``, ``connections``, ``threads``, ``workflows``, ``/s`` or ``MB/s``.
        minimum: What it needs to be at least, in ``unit``; None for no such bound.
        maximum: What it needs to be at most; None for no such bound.
        holds: Whether it is what it needs to be; None when that is not known, or not asked.
    """

    cause: str
    what: str
    value: float | None
    unit: str
    minimum: float | None = None
    maximum: float | None = None
    holds: bool | None = None


@dataclass(frozen=True)
class Bottleneck:
    """What limits a level.

    Attributes:
        verdict: A word of the closed list.
        why: What it means for this level; or why it is unclear, and what is missing.
        evidence: Everything that was looked at: first what the verdict rests on, then what the
            other causes would have needed, then what decides nothing (``cause`` is empty).
    """

    verdict: Verdict
    why: str
    evidence: tuple[Evidence, ...]
