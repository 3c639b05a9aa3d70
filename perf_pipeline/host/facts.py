"""Facts about the host that a measurement depends on, and the time that a hypervisor took."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from perf_pipeline.config.cgroup import cpu_quotas, memory_allowance
from perf_pipeline.host.scheduling import read_scheduling
from perf_pipeline.samples.host_record import HostFacts

_STEAL = 7
"""Position of stolen time in the cpu line of /proc/stat."""

GIT_S = 10


@dataclass(frozen=True)
class GitState:
    """The state of a project's folder.

    Attributes:
        commit: 40 hexadecimal digits; None if unknown.
        dirty: Whether a tracked file differs from it; None if unknown.
        problem: Why it is not known; empty otherwise.
        branch: Its branch; empty if unknown, and where a commit is checked out without one.
        changes_sha256: Of what tracked files have in place of the commit's; empty if they are like.
    """

    commit: str | None
    dirty: bool | None
    problem: str
    branch: str = ""
    changes_sha256: str = ""


@dataclass(frozen=True)
class CpuTimes:
    """The cpu line of /proc/stat, in clock ticks since boot; all cores together."""

    total_ticks: int
    steal_ticks: int


def read_host_facts(temp_dir: Path, root: Path = Path("/")) -> HostFacts:
    """Read the facts about this host.

    Args:
        temp_dir: Folder of the data of servers that we start.
        root: Where /proc, /sys and /etc are looked for.
    """
    memory = memory_allowance(root / "proc", root / "sys/fs/cgroup")
    quotas = cpu_quotas(root / "proc", root / "sys/fs/cgroup")
    libc = " ".join(platform.libc_ver()).strip()
    return HostFacts(
        cpu_model=_field(root / "proc/cpuinfo", "model name") or platform.machine(),
        cores_online=os.cpu_count() or 1,
        cores_usable=len(os.sched_getaffinity(0)),
        memory_total_bytes=int(_field(root / "proc/meminfo", "MemTotal").split()[0]) * 1024,
        cgroup_memory_limit_bytes=None if memory is None else memory.limit,
        cgroup_cpu_limit_cores=quotas[0].cores if quotas else None,
        container=_container(root),
        kernel=platform.release(),
        system=_field(root / "etc/os-release", "PRETTY_NAME", "=").strip('"') or "unknown",
        libc=libc,
        python=platform.python_version(),
        temp_file_system=_file_system(root, temp_dir),
        scheduling=read_scheduling(root),
    )


def read_git_state(folder: Path, search_path: str) -> GitState:
    """Read which commit of a project a folder holds.

    Files that git does not track, such as the results of a run, are no change.

    Args:
        folder: The project's; may be no git folder, or another user's.
        search_path: Where git is looked for.
    """
    git = shutil.which("git", path=search_path)
    if git is None:
        return GitState(None, None, "git is not installed")
    command = git_command(git, folder)
    try:
        commit = _output([*command, "rev-parse", "--verify", "HEAD"])
        changes = _output([*command, "diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv"])
        branch = _output([*command, "rev-parse", "--abbrev-ref", "HEAD"])
    except subprocess.CalledProcessError as error:
        return GitState(None, None, str(error.stderr).strip())
    except subprocess.TimeoutExpired:
        return GitState(None, None, f"git did not answer in {GIT_S} s")
    digest = hashlib.sha256(changes.encode()).hexdigest() if changes else ""
    return GitState(commit, bool(changes), "", "" if branch == "HEAD" else branch, digest)


def git_command(git: str, folder: Path) -> list[str]:
    """Return the beginning of a git command that reads a folder and executes nothing in it."""
    # Without the exception git refuses folders of other users.
    command = [git, "-c", f"safe.directory={folder}", "-C", str(folder)]
    # `status` would execute a configured program otherwise.
    return [*command, "-c", "core.fsmonitor=false", "--no-optional-locks"]


def read_cpu_times(proc: Path = Path("/proc")) -> CpuTimes:
    """Read the time that the cores have spent, and what a hypervisor took of it."""
    first = (proc / "stat").read_text(encoding="ascii").splitlines()[0]
    ticks = [int(field) for field in first.split()[1:]]
    # Guests' time (the last two) is counted in user time already.
    return CpuTimes(total_ticks=sum(ticks[: _STEAL + 1]), steal_ticks=ticks[_STEAL])


def steal_percent(before: CpuTimes, after: CpuTimes) -> float | None:
    """Return the share of time that a hypervisor gave to others between two readings, 0 to 100.

    Returns:
        None if no time passed.

    Source:
        proc(5), /proc/stat.
    """
    passed = after.total_ticks - before.total_ticks
    if passed <= 0:
        return None
    return 100.0 * (after.steal_ticks - before.steal_ticks) / passed


def _output(command: list[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=True, timeout=GIT_S
    )
    return done.stdout.strip()


def _field(path: Path, name: str, separator: str = ":") -> str:
    """Return the value of the first line ``name <separator> value``; empty without one."""
    text = _text(path) or ""
    for line in text.splitlines():
        key, _, value = line.partition(separator)
        if key.strip() == name:
            return value.strip()
    return ""


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None


def _container(root: Path) -> str:
    if (root / ".dockerenv").exists():
        return "docker"
    named = _field(root / "run/.containerenv", "engine", "=").strip('"')
    if named or (root / "run/.containerenv").exists():
        return named.partition("-")[0] or "podman"
    return _text(root / "run/systemd/container") or "none"


def _file_system(root: Path, folder: Path) -> str:
    """Return the type of the mount with the longest path that holds ``folder``."""
    best, kind = -1, "unknown"
    for line in (_text(root / "proc/self/mounts") or "").splitlines():
        _, point, its_kind, *_ = line.split(" ")
        where = Path(point.replace("\\040", " "))
        if folder.resolve().is_relative_to(where) and len(where.parts) >= best:
            best, kind = len(where.parts), its_kind
    return kind
