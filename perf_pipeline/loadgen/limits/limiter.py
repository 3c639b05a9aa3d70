"""Holds the workers of a level below the scenario's limits, by what works on this machine.

Each worker has its share: the limit / the number of workers. A control group is the kernel's own
way and cannot be outrun; where none can be made (no root, no delegation), a watchdog thread of
the supervisor does what can be done from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from perf_pipeline.loadgen.limits.control_group import ControlGroup, make_control_group
from perf_pipeline.loadgen.limits.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.config.scenario import Limits

MEGABYTE = 1_000_000


class Holder(Protocol):
    """Something that holds one worker below its share.

    Attributes:
        mechanism: What it is, in words; stands in the level's log.
    """

    mechanism: str

    def hold(self, pid: int) -> None:
        """Begin with the process ``pid``."""

    def reason(self) -> str | None:
        """Say why the worker was ended by the limit; None if it was not."""

    def release(self) -> None:
        """Give everything back; called after the worker has ended."""


class Unlimited:
    """No limit."""

    mechanism = "none"

    def hold(self, pid: int) -> None:
        """Do nothing."""

    def reason(self) -> str | None:
        """Return None."""
        return None

    def release(self) -> None:
        """Do nothing."""


def holder_of(
    limits: Limits,
    processes: int,
    name: str,
    *,
    kill: Callable[[str], None],
    cgroups: Path | None,
) -> Holder:
    """Make what holds one of ``processes`` workers.

    Args:
        limits: Of all workers together.
        processes: How many workers share them.
        name: Name of the control group, unique on this machine.
        kill: Ends the worker at once, given the reason.
        cgroups: Where the control groups are mounted; None to do without.

    Returns:
        A control group if one with these limits can be made, else a watchdog.
    """
    memory_bytes = None if limits.memory_mb is None else int(limits.memory_mb * MEGABYTE)
    share_bytes = None if memory_bytes is None else memory_bytes // processes
    share_cores = None if limits.cpu_percent is None else limits.cpu_percent / 100 / processes
    if share_bytes is None and share_cores is None:
        return Unlimited()
    group: ControlGroup | None = None
    if cgroups is not None:
        group = make_control_group(cgroups, name, share_bytes, share_cores)
    return group or Watchdog(share_bytes, share_cores, kill)
