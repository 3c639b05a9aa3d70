"""Workflows that are slow, retry and fail, as those of an overloaded target do."""

from __future__ import annotations

import time

from perf_pipeline.steps import count

HELD_S = 0.5
ATTEMPTS = 3


def fail_half(number: int) -> None:
    """Take half a second and three attempts; every second workflow fails.

    Raises:
        RuntimeError: The number is odd.
    """
    count("attempts", ATTEMPTS)
    time.sleep(HELD_S)
    if number % 2:
        raise RuntimeError("planned: every second workflow fails")
