"""A control group for one worker, version 1 or 2, made beside the group that we are in.

Source: Linux documentation, admin-guide/cgroup-v1/memory.rst, scheduler/sched-bwc.rst and
admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

PERIOD_US = 100_000
_REMOVE_TRIES = 20


@dataclass(frozen=True)
class Controller:
    """The files of one controller in one version.

    Attributes:
        folder: The group's folder.
        limits: File to its text.
    """

    folder: Path
    limits: dict[str, str]


@dataclass
class ControlGroup:
    """The folders of one worker's group; one a controller in version 1.

    Attributes:
        controllers: Made and limited.
        share_bytes: The memory limit; None for none.
    """

    controllers: list[Controller]
    share_bytes: int | None
    mechanism: str = "control group"
    _peak_bytes: int = field(default=0, init=False)

    def hold(self, pid: int) -> None:
        """Move the process into the group; what it starts later is in it too."""
        for controller in self.controllers:
            (controller.folder / "cgroup.procs").write_text(f"{pid}\n", encoding="ascii")

    def reason(self) -> str | None:
        """Say that the kernel ended the worker for want of memory, if it did."""
        if self.share_bytes is None or not any(_oom_kills(c.folder) for c in self.controllers):
            return None
        return (
            f"memory limit: {_peak_bytes(self.controllers) / 1e6:.0f} MB in its control group, "
            f"share of the limit {self.share_bytes / 1e6:.0f} MB"
        )

    def release(self) -> None:
        """Remove the folders; a process that has just been reaped may hold them a moment more."""
        for controller in self.controllers:
            for _ in range(_REMOVE_TRIES):
                try:
                    controller.folder.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.05)
                else:
                    break


def make_control_group(
    cgroups: Path, name: str, share_bytes: int | None, share_cores: float | None
) -> ControlGroup | None:
    """Make a group with the limits; None where this machine does not let us.

    Args:
        cgroups: Where the control groups are mounted.
        name: Name of the folders.
        share_bytes: Memory limit; None for none.
        share_cores: CPU limit in cores; None for none.
    """
    made: list[Controller] = []
    wanted = [
        *([("memory", _memory_limits(share_bytes))] if share_bytes is not None else []),
        *([("cpu", _cpu_limits(share_cores))] if share_cores is not None else []),
    ]
    for controller, (first, second) in wanted:
        folder = _make(cgroups / controller, name, first) or _make(cgroups, name, second)
        if folder is None:
            ControlGroup(made, share_bytes).release()
            return None
        made.append(folder)
    return ControlGroup(made, share_bytes)


def remove_leftovers(cgroups: Path, prefix: str) -> list[str]:
    """Remove empty groups whose names start with ``prefix`` and whose maker is gone.

    The name is ``<prefix><pid>-...``; a group whose maker lives is left alone.

    Returns:
        What was removed.
    """
    removed = []
    for mount in (cgroups / "memory", cgroups / "cpu", cgroups):
        for folder in mount.glob(f"{prefix}*"):
            maker = folder.name.removeprefix(prefix).partition("-")[0]
            if maker.isdecimal() and not Path("/proc", maker).exists():
                with contextlib.suppress(OSError):  # it still holds a process: not ours to end
                    folder.rmdir()
                    removed.append(str(folder))
    return removed


def _make(mount: Path, name: str, limits: dict[str, str]) -> Controller | None:
    """Make one folder and write its limits; leaves nothing where that fails."""
    folder = mount / name
    if not (mount / "cgroup.procs").exists():
        return None
    try:
        folder.mkdir()
    except OSError:
        return None
    try:
        for file, text in limits.items():
            if not os.access(folder / file, os.W_OK):
                raise PermissionError(folder / file)
            (folder / file).write_text(text, encoding="ascii")
    except OSError:
        folder.rmdir()
        return None
    return Controller(folder, limits)


def _memory_limits(share_bytes: int) -> tuple[dict[str, str], dict[str, str]]:
    return {"memory.limit_in_bytes": str(share_bytes)}, {"memory.max": str(share_bytes)}


def _cpu_limits(share_cores: float) -> tuple[dict[str, str], dict[str, str]]:
    quota_us = max(int(share_cores * PERIOD_US), 1000)  # the kernel's least quota
    first = {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota_us)}
    return first, {"cpu.max": f"{quota_us} {PERIOD_US}"}


def _oom_kills(folder: Path) -> int:
    for file in ("memory.events", "memory.oom_control"):
        with contextlib.suppress(OSError):
            for line in (folder / file).read_text(encoding="ascii").splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill":
                    return int(value)
    return 0


def _peak_bytes(controllers: list[Controller]) -> int:
    for controller in controllers:
        for file in ("memory.max_usage_in_bytes", "memory.peak", "memory.current"):
            with contextlib.suppress(OSError, ValueError):
                return int((controller.folder / file).read_text(encoding="ascii"))
    return 0
