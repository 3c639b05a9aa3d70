"""The fault windows that ``failure_rate`` and ``failure_types`` of ``LoadTestConfig`` mean.

A failure of a server or of the machine hits whatever runs at that moment, so a rate per workflow
becomes a share of time: a workflow that starts at any moment of the steady phase meets a failure
with about that probability.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.fault.fault_window import FaultWindow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

DEFAULT_TYPES = ("database_timeout", "memory_pressure", "connection_exhaustion")
"""Source: the framework that this project replaces."""

WINDOW_S = 4.0
"""About the length of one failure: to be in effect for 95 % of 2 s, it must begin within 0.1 s."""

MIN_WINDOW_S = 0.5
"""A shorter one would hardly be in effect before it ends."""


def server_of(failure_type: str, servers: Collection[str]) -> str | None:
    """Return the server that a failure is done to, of those that are used.

    Returns:
        Empty for a failure of the machine; None where it can be done to none of the servers.
    """
    kind = FAULT_KINDS[failure_type]
    if not kind.servers:
        return ""
    return next((server for server in kind.servers if server in servers), None)


def failure_windows(
    rate: float, types: Sequence[str], servers: Collection[str], steady_s: float, seed: int
) -> tuple[FaultWindow, ...]:
    """Spread failures over a steady phase, one type after the other.

    The phase is divided into equal parts, each with one failure at a random place, so that there
    is time to recover between two of them as long as the rate is small.

    Args:
        rate: Share of the steady phase in which a failure is in effect, above 0 and at most 0.5.
        types: Of ``FAULT_KINDS``; each can be done to one of ``servers`` or to the machine.
        servers: The servers that workflows use.
        steady_s: Length of the steady phase.
        seed: The same seed gives the same windows.

    Returns:
        The windows in their order; together they last ``rate * steady_s``. None where that is
        shorter than ``MIN_WINDOW_S``.
    """
    total_s = rate * steady_s
    if total_s < MIN_WINDOW_S:
        return ()
    count = max(1, round(total_s / WINDOW_S))
    part_s, window_s = steady_s / count, total_s / count
    rng = random.Random(f"{seed}/failures")
    return tuple(
        FaultWindow(
            kind := types[number % len(types)],
            server_of(kind, servers) or "",
            round(number * part_s + rng.random() * (part_s - window_s), 3),
            round(window_s, 3),
        )
        for number in range(count)
    )
