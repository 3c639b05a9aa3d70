"""Waits for the first sign of a failure that needs a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.faults.fault import Fault, Place

_AT_MOST_NS = 2_000_000_000
_POLL_S = 0.01


def wait_until_it_acts(fault: Fault, place: Place) -> None:
    """Return at the first sign of an injected failure, or after two seconds without one."""
    deadline_ns = place.clock_ns() + _AT_MOST_NS
    while not fault.sign().in_effect and place.clock_ns() < deadline_ns:
        place.sleep(_POLL_S)
