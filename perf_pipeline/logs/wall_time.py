"""Turns times of CLOCK_MONOTONIC, which records have, into times of the wall clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def wall_time() -> Callable[[int], int]:
    """Return what gives the ns since the epoch of a monotonic time, by what both clocks say now.

    A wall clock that was set since then leaves times as if it had always been right.
    """
    offset_ns = time.time_ns() - time.monotonic_ns()
    return lambda monotonic_ns: monotonic_ns + offset_ns
