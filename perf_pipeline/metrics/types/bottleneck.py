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
    "resource_exhaustion",
    "unclear",
]


@dataclass(frozen=True)
class Evidence:
    """One condition of a cause, or a figure that only informs the reader.

    Attributes:
        cause: The cause that needs it; empty when it decides nothing.
        what: What was measured.
        value: The value; None when it was not measured.
        unit: ``%``, ``cores``, ``connections``, ``threads``, ``workflows``, ``/s``, ``MB/s``, or
            the name of a resource that is counted.
        minimum: Minimum that the cause needs, in ``unit``; None for no such bound.
        maximum: Maximum that the cause allows; None for no such bound.
        holds: Whether the value is within the bounds; None when it is unknown or has no bounds.
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
        verdict: One of the closed list.
        why: What it means for this level; or why it is unclear, and what is missing.
        evidence: First that of the verdict, then that of the other causes, then figures that decide
            nothing (``cause`` is empty).
    """

    verdict: Verdict
    why: str
    evidence: tuple[Evidence, ...]
