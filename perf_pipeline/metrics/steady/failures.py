"""What of a level can be judged as if nothing had been made to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.samples.fault_log import FaultRecord

_TAKE_CORES = ("io_saturation",)
"""Failures of a server that are made by programs on this machine."""


def first_failure_ns(log: Mapping[str, Any]) -> int:
    """Return when the first failure of a level was planned to begin, CLOCK_MONOTONIC ns.

    What comes later is done to the target: it is neither a drift, nor a warm-up. Without a failure,
    or a steady phase, that is after every level.

    Args:
        log: The level's ``level.json``.
    """
    begins_s = [float(window["at_s"]) for window in log["plan"].get("faults", ())]
    steady = log["phases_ns"].get("steady")
    if not begins_s or steady is None:
        return 2**63 - 1
    return int(steady[0]) + round(min(begins_s) * 1e9)


def takes_cores(plan: Mapping[str, Any]) -> bool:
    """Return whether a failure of a level uses the cores of the machine by itself."""
    return any(
        not window["server"] or window["kind"] in _TAKE_CORES for window in plan.get("faults", ())
    )


def lost_by(records: Sequence[FaultRecord], server: str) -> str:
    """Return the failure of a level by which a server lost its data; empty for none.

    Args:
        records: The failures of the level; one that was never injected lost nothing.
        server: The service.
    """
    for record in records:
        kind = FAULT_KINDS.get(record.window.kind)
        is_injected = record.injecting_ns is not None and record.window.server == server
        if kind is not None and is_injected and server in kind.forgotten_by:
            return kind.name
    return ""
