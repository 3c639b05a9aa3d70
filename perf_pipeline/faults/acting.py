"""Waits for the first sign of a failure that needs a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.faults.fault import Fault, Place

_AT_MOST_S = 2.0
_POLL_S = 0.01


def wait_until_it_acts(
    fault: Fault,
    place: Place,
    before_each: Callable[[], object] = lambda: None,
    *,
    at_most_s: float = _AT_MOST_S,
) -> None:
    """Return at the first sign of an injected failure, or after some time without one.

    Args:
        fault: It was injected.
        place: Has the time.
        before_each: Called before each sign.
        at_most_s: That time.
    """
    deadline_ns = place.clock_ns() + round(1e9 * at_most_s)
    before_each()
    while not fault.sign().in_effect and place.clock_ns() < deadline_ns:
        place.sleep(_POLL_S)
        before_each()
