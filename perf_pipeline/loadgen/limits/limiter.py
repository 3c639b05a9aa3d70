"""Holds one worker of a level below its share of the limits, by what works on this machine.

A worker's share is the limit / the number of workers. A control group is the kernel's own way and
cannot be outrun; where none can be made (no root, no delegation), a watchdog thread of the
supervisor does what can be done from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.loadgen.limits.control_group import ControlGroup, make_control_group
from perf_pipeline.loadgen.limits.watchdog import Watchdog

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import WorkerLimits
    from perf_pipeline.loadgen.supervise.worker_process import WorkerProcess

MEGABYTE = 1_000_000


class Limiter:
    """What holds one worker; without limits it does nothing."""

    def __init__(
        self, limits: WorkerLimits, processes: int, *, group_name: str, cgroups: Path | None
    ) -> None:
        """Prepare; nothing is held yet.

        Args:
            limits: Of all workers together.
            processes: How many workers share them.
            group_name: Name of the worker's control group, unique on this machine.
            cgroups: Where the control groups are mounted; None to do without.
        """
        memory_mb, cpu_percent = limits.memory_mb, limits.cpu_percent
        self._share_bytes = None if memory_mb is None else int(memory_mb * MEGABYTE) // processes
        self._share_cores = None if cpu_percent is None else cpu_percent / 100 / processes
        self._group_name = group_name
        self._cgroups = cgroups
        self._group: ControlGroup | None = None
        self._watchdog: Watchdog | None = None

    def hold(self, worker: WorkerProcess) -> None:
        """Hold a worker from now on, by a control group as far as one can be had."""
        if self._cgroups is not None:
            self._group = self._hold_in_group(worker.pid, self._cgroups)
        held = {} if self._group is None else self._group.folders
        share_bytes = None if "memory" in held else self._share_bytes
        share_cores = None if "cpu" in held else self._share_cores
        if share_bytes is not None or share_cores is not None:
            self._watchdog = Watchdog(share_bytes, share_cores)
            self._watchdog.hold(worker)

    @property
    def mechanism(self) -> str:
        """What holds the worker, in words; ``none`` without limits."""
        words = []
        if self._group is not None:
            held = ["memory" if name == "memory" else "CPU" for name in self._group.folders]
            words.append(f"control group ({', '.join(held)})")
        if self._watchdog is not None:
            words.append(self._watchdog.mechanism)
        return " and ".join(words) or "none"

    def reason(self) -> str | None:
        """Say that the worker was ended by its control group; a watchdog gives its own reason."""
        return None if self._group is None else self._group.reason()

    def release(self) -> None:
        """Give everything back; called after the worker has ended."""
        if self._watchdog is not None:
            self._watchdog.release()
        if self._group is not None:
            self._group.release()

    def _hold_in_group(self, pid: int, cgroups: Path) -> ControlGroup | None:
        shares = self._share_bytes, self._share_cores
        group = make_control_group(self._group_name, *shares, cgroups=cgroups)
        if group is None:
            return None
        try:
            group.hold(pid)
        except OSError:  # we may make it and not move a process into it, or the worker has ended
            group.release()
            return None
        return group
