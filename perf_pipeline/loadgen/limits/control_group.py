"""A control group (version 1 or 2) for one worker process, made inside this process's own group.

Inside it, so that limits on this process apply to the worker as well. Version 2 allows no limits
below a group that contains processes; there the group is made beside our own, if our own has no
limits.

Source: Linux documentation, admin-guide/cgroup-v1/memory.rst, scheduler/sched-bwc.rst and
admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from perf_pipeline.config.cgroup import groups_of, memory_allowance
from perf_pipeline.lifeline import own_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

Controller = Literal["memory", "cpu"]

CGROUPS = Path("/sys/fs/cgroup")
PREFIX = "perf_pipeline-"
PERIOD_US = 100_000
MIN_QUOTA_US = 1000
_REMOVE_TRIES = 40


@dataclass
class ControlGroup:
    """The group of one worker.

    Attributes:
        share_bytes: The memory limit; None where it has none.
        folders: The folder of each limited resource; version 2 has one folder for both.
    """

    share_bytes: int | None
    folders: dict[Controller, Path] = field(default_factory=dict)

    def add(self, pid: int) -> None:
        """Move a process into the group; the processes that it starts later are in it too.

        Raises:
            OSError: The kernel refused.
        """
        for folder in dict.fromkeys(self.folders.values()):
            (folder / "cgroup.procs").write_text(f"{pid}\n", encoding="ascii")

    def reason(self) -> str | None:
        """Return why the kernel killed a process of this group: its memory limit; else None."""
        folder = self.folders.get("memory")
        if folder is None or self.share_bytes is None or not _oom_kills(folder):
            return None
        return memory_reason(_peak_bytes(folder), self.share_bytes)

    def release(self) -> None:
        """Remove the folders; a process that has just ended may keep them busy for a moment."""
        for folder in dict.fromkeys(self.folders.values()):
            for _ in range(_REMOVE_TRIES):
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.05)
                else:
                    break


def memory_reason(peak_bytes: float, share_bytes: float, children: int = 0) -> str:
    """Return the end reason of a worker that exceeded its memory limit, with its children."""
    started = {0: "", 1: " with the process that it started"}
    return (
        f"memory limit: {peak_bytes / 1e6:.0f} MB resident"
        f"{started.get(children, f' with the {children} processes that it started')}, "
        f"share of the limit {share_bytes / 1e6:.0f} MB"
    )


def outer_oom_kills(cgroups: Path = CGROUPS, proc: Path = Path("/proc")) -> int:
    """Return how many processes the kernel has killed for the memory limits of our own groups."""
    return sum(_oom_kills(folder) for folder, _ in groups_of("memory", proc, cgroups))


def host_oom_kills(proc: Path = Path("/proc")) -> int | None:
    """Return how many processes the kernel has killed for want of memory; None where unknown."""
    with contextlib.suppress(OSError, ValueError):
        for line in (proc / "vmstat").read_text(encoding="ascii").splitlines():
            key, _, value = line.partition(" ")
            if key == "oom_kill":
                return int(value)
    return None


def outer_memory_reason(cgroups: Path = CGROUPS, proc: Path = Path("/proc")) -> str:
    """Return the end reason of a worker that was killed for a memory limit around this run."""
    tightest = memory_allowance(proc, cgroups)
    limit = "" if tightest is None else f" of {tightest.limit / 1e6:.0f} MB ({tightest.source})"
    return (
        f"memory limit: the kernel killed it, for the container or session of this run has used "
        f"up its limit{limit}; what was acknowledged is kept. Raise the limit or lower concurrency"
    )


def group_name(level: int, worker: int) -> str:
    """Return the name of a worker's group; it identifies the process that made it."""
    own = own_stamp()
    return f"{PREFIX}{own.pid}-{own.start_ticks}-{own.pid_namespace}-{level}-{worker}"


def make_control_group(
    name: str,
    share_bytes: int | None,
    share_cores: float | None,
    *,
    cgroups: Path = CGROUPS,
    proc: Path = Path("/proc"),
) -> ControlGroup | None:
    """Make a group with as many of the limits as this machine allows; each is tried.

    Args:
        name: Name of the folders.
        share_bytes: Memory limit; None for none.
        share_cores: CPU limit in cores; None for none.
        cgroups: Where the control groups are mounted.
        proc: Where the process file system is mounted.

    Returns:
        The group; ``folders`` has the limits that are in effect. None if none could be set.
    """
    group = ControlGroup(share_bytes)
    shares: tuple[tuple[Controller, float | None], ...] = (
        ("memory", share_bytes),
        ("cpu", share_cores),
    )
    for controller, share in shares:
        if share is None:
            continue
        for parent, version in _parents(controller, cgroups, proc):
            if _make(parent / name, _settings(controller, version, share)):
                group.folders[controller] = parent / name
                break
    return group if group.folders else None


def remove_leftovers(cgroups: Path = CGROUPS) -> list[str]:
    """Remove the groups whose maker has ended; a group with a process in it is left alone.

    Returns:
        What was removed.
    """
    removed = []
    for mount in (cgroups / "memory", cgroups / "cpu", cgroups / "unified", cgroups):
        pattern = f"{PREFIX}*" if mount == cgroups and (cgroups / "memory").is_dir() else ""
        for folder in mount.glob(pattern or f"**/{PREFIX}*"):
            if _is_abandoned(folder.name):
                with contextlib.suppress(OSError):  # a process is in it, which is not ours to end
                    folder.rmdir()
                    removed.append(str(folder))
    return removed


def _is_abandoned(name: str) -> bool:
    parts = name.removeprefix(PREFIX).split("-")
    if len(parts) != 5 or not all(part.isdecimal() for part in parts):  # noqa: PLR2004 as group_name
        return False
    pid, start_ticks, namespace = map(int, parts[:3])
    # Control groups do not outlive the kernel, so the maker's boot is this one.
    return own_stamp()._replace(pid=pid, start_ticks=start_ticks, pid_namespace=namespace).is_gone()


def _parents(controller: Controller, cgroups: Path, proc: Path) -> Iterator[tuple[Path, int]]:
    """Yield the groups in which a group may be made: our own, then (version 2) its parent."""
    chain = islice(groups_of(controller, proc, cgroups), 2)
    for depth, (folder, version) in enumerate(chain):
        if depth == 0:
            own = folder
            yield folder, version
        elif version == 2 and _is_unlimited(own):  # noqa: PLR2004 the version
            yield folder, version


def _is_unlimited(folder: Path) -> bool:
    for file in ("memory.max", "cpu.max"):
        with contextlib.suppress(FileNotFoundError):  # the controller is not switched on there
            if not (folder / file).read_text(encoding="ascii").startswith("max"):
                return False
    return True


def _settings(controller: Controller, version: int, share: float) -> list[tuple[str, str, bool]]:
    """Return (file, text, True if it must be there) in the order in which they are written."""
    if controller == "cpu":
        quota_us = max(int(share * PERIOD_US), MIN_QUOTA_US)
        if version == 1:
            return [
                ("cpu.cfs_period_us", str(PERIOD_US), True),
                ("cpu.cfs_quota_us", str(quota_us), True),
            ]
        return [("cpu.max", f"{quota_us} {PERIOD_US}", True)]
    limit = str(int(share))
    if version == 1:
        return [
            ("memory.limit_in_bytes", limit, True),
            ("memory.memsw.limit_in_bytes", limit, False),  # or it would swap, and be slow
        ]
    return [("memory.max", limit, True), ("memory.swap.max", "0", False)]


def _make(folder: Path, settings: list[tuple[str, str, bool]]) -> bool:
    """Make a folder, if need be, and write its limits; what fails leaves nothing new."""
    made = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
        for file, text, needed in settings:
            # A folder that is no control group must not get the file by being written to.
            if os.access(folder / file, os.W_OK):
                (folder / file).write_text(text, encoding="ascii")
            elif needed:
                raise PermissionError(folder / file)
    except OSError:
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        return False
    return True


def _oom_kills(folder: Path) -> int:
    for file in ("memory.events", "memory.oom_control"):
        with contextlib.suppress(OSError):
            for line in (folder / file).read_text(encoding="ascii").splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill":
                    return int(value)
    return 0


def _peak_bytes(folder: Path) -> int:
    for file in ("memory.max_usage_in_bytes", "memory.peak", "memory.max"):
        with contextlib.suppress(OSError, ValueError):
            return int((folder / file).read_text(encoding="ascii"))
    return 0
