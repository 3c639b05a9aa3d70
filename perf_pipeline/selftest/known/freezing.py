"""A target that freezes once: whatever is executed meanwhile waits until it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass

SERVICE_S = 0.001


@dataclass(frozen=True)
class Stall:
    """One freeze.

    Attributes:
        number: The workflow with which it begins.
        length_s: How long it lasts.
    """

    number: int
    length_s: float


SHORT = Stall(500, 1.0)
LONG = Stall(5_000, 2.0)


class _Frozen:
    until_s = 0.0


def short(number: int) -> None:
    """Execute a workflow of the target that freezes for a short time."""
    _execute(number, SHORT)


def long(number: int) -> None:
    """Execute a workflow of the target that freezes for a long time."""
    _execute(number, LONG)


def _execute(number: int, stall: Stall) -> None:
    now_s = time.monotonic()
    if number == stall.number:
        _Frozen.until_s = now_s + stall.length_s
    time.sleep(max(0.0, _Frozen.until_s - now_s))
    time.sleep(SERVICE_S)
