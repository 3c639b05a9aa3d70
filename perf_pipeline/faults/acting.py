"""Waits for the first sign of a failure that needs a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.faults.fault import Fault, Place

_AT_MOST_NS = 2_000_000_000
_POLL_S = 0.01


def wait_until_it_acts(
    fault: Fault, place: Place, before_each: Callable[[], object] = lambda: None
) -> None:
    """Return at the first sign of an injected failure, or after two seconds without one.

    Args:
        fault: It was injected.
        place: Has the time.
        before_each: Called before each sign.
    """
    deadline_ns = place.clock_ns() + _AT_MOST_NS
    before_each()
    while not fault.sign().in_effect and place.clock_ns() < deadline_ns:
        place.sleep(_POLL_S)
        before_each()
