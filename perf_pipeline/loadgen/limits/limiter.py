"""Keeps one worker process within its share of the memory and CPU limits of a load level.

A worker's share is the limit / the number of workers. A control group is enforced by the kernel and
exact. Where none can be made (no root, no delegation), a watchdog thread of the supervisor
enforces the limits from outside, with a delay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.loadgen.limits.control_group import (
    ControlGroup,
    host_oom_kills,
    make_control_group,
    outer_memory_reason,
    outer_oom_kills,
)
from perf_pipeline.loadgen.limits.watchdog import Watchdog

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import WorkerLimits
    from perf_pipeline.loadgen.supervise.worker_process import WorkerProcess

MEGABYTE = 1_000_000


class Limiter:
    """Enforces the limits of one worker process; without limits it does nothing."""

    def __init__(
        self, limits: WorkerLimits, processes: int, *, group_name: str, cgroups: Path | None
    ) -> None:
        """Prepare; no limit is in effect yet.

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
        self._oom_kills_before = 0 if cgroups is None else outer_oom_kills(cgroups)
        self._host_oom_kills_before = host_oom_kills()
        self._group: ControlGroup | None = None
        self._watchdog: Watchdog | None = None

    def apply(self, worker: WorkerProcess) -> None:
        """Limit a worker from now on, by a control group where one can be made."""
        if self._cgroups is not None:
            self._group = self._add_to_group(worker.pid, self._cgroups)
        in_group = {} if self._group is None else self._group.folders
        share_bytes = None if "memory" in in_group else self._share_bytes
        share_cores = None if "cpu" in in_group else self._share_cores
        if share_bytes is not None or share_cores is not None:
            self._watchdog = Watchdog(share_bytes, share_cores)
            self._watchdog.watch(worker)

    @property
    def mechanism(self) -> str:
        """How the limits are enforced, for people; ``none`` without limits."""
        mechanisms = []
        if self._group is not None:
            limited = ["memory" if name == "memory" else "CPU" for name in self._group.folders]
            mechanisms.append(f"control group ({', '.join(limited)})")
        if self._watchdog is not None:
            mechanisms.append(self._watchdog.mechanism)
        return " and ".join(mechanisms) or "none"

    def reason(self) -> str | None:
        """Return for which memory limit the kernel killed the worker, if it did.

        Its own group's, or one around the whole run; a watchdog gives its reason itself.
        """
        own = None if self._group is None else self._group.reason()
        if own is None and self._cgroups is not None:
            grew = outer_oom_kills(self._cgroups) > self._oom_kills_before
            return outer_memory_reason(self._cgroups) if grew else None
        return own

    def sigkill_sender(self) -> str:
        """Return what is known of who sent a SIGKILL that is not ours and no memory limit's."""
        before, now = self._host_oom_kills_before, host_oom_kills()
        if before is None or now is None:
            return "sent by the target, a person, a program or the kernel (OOM kills are not known)"
        if now > before:
            return f"the kernel counted {now - before} OOM kills on this host meanwhile"
        return "sent by the target, a person or a program: the kernel counted no OOM kill"

    def release(self) -> None:
        """Remove the group and stop the watchdog; called after the worker has ended."""
        if self._watchdog is not None:
            self._watchdog.release()
        if self._group is not None:
            self._group.release()

    def _add_to_group(self, pid: int, cgroups: Path) -> ControlGroup | None:
        shares = self._share_bytes, self._share_cores
        group = make_control_group(self._group_name, *shares, cgroups=cgroups)
        if group is None:
            return None
        try:
            group.add(pid)
        except OSError:  # we may make it but not move a process into it, or the worker has ended
            group.release()
            return None
        return group
