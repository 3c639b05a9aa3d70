"""What of the machine can run out while a level runs: how much is in use, of how much.

Read about once a second, so only what costs little. The sockets of the machine are looked at one
by one only when there are about as many as local ports.
"""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.cgroup import memory_allowance, tasks_allowance
from perf_pipeline.config.machine import kernel_tasks
from perf_pipeline.metrics.resources.exhaustion import DESCRIPTORS, LOCAL_PORTS, MEMORY, THREADS

if TYPE_CHECKING:
    from pathlib import Path

PORT_RANGE = "net.ipv4.ip_local_port_range"
_LISTENING = "0A"
_MANY = 0.5


def countable_limits(proc: Path, cgroups: Path) -> dict[str, dict[str, Any]]:
    """Return each resource that has a limit, with ``used``, ``limit`` and ``source``.

    ``used`` of the descriptors is None: they are counted of each process, elsewhere.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    found: dict[str, dict[str, Any]] = {}
    if hard != resource.RLIM_INFINITY:
        found[DESCRIPTORS] = {"used": None, "limit": hard, "source": "ulimit -Hn, each process"}
    ports = local_ports(proc)
    if ports is not None:
        found[LOCAL_PORTS] = ports
    tasks = [t for t in (tasks_allowance(proc, cgroups), kernel_tasks(proc)) if t is not None]
    memory = memory_allowance(proc, cgroups)
    tightest = {THREADS: min(tasks, key=lambda one: one.free, default=None), MEMORY: memory}
    for name, one in tightest.items():
        if one is not None:
            found[name] = {"used": one.used, "limit": one.limit, "source": one.source}
    return found


def local_ports(proc: Path) -> dict[str, Any] | None:
    """Return how many ports of the range for outgoing connections are in use, TIME_WAIT included.

    Returns:
        ``used`` is the number of different ports of the range that sockets have which do not
        listen; where there are far fewer TCP sockets than ports, the number of those sockets.
        None if the kernel does not tell.

    Source:
        Documentation/networking/ip-sysctl.rst of the kernel.
    """
    try:
        text = (proc / "sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
        low, high = map(int, text.split())
        sockets = _tcp_sockets(proc / "net/sockstat")
        if sockets >= _MANY * (high - low + 1):
            sockets = len(_ports(proc, low, high))
    except (OSError, ValueError):
        return None
    source = f"{PORT_RANGE} = {low} {high}"
    return {"used": sockets, "limit": high - low + 1, "source": source}


def _tcp_sockets(path: Path) -> int:
    """Read ``TCP: inuse 5 orphan 0 tw 49 alloc 7 mem 1``: sockets in use and in TIME_WAIT."""
    for line in path.read_text(encoding="ascii").splitlines():
        words = line.split()
        if words and words[0] == "TCP:":
            counts = dict(zip(words[1::2], map(int, words[2::2]), strict=True))
            return counts["inuse"] + counts["tw"]
    return 0


def _ports(proc: Path, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text(encoding="ascii").splitlines()[1:]
        except FileNotFoundError:  # no IPv6
            continue
        for line in lines:  # "  0: 0100007F:8AE2 0100007F:1538 06 ...": local, remote, state
            _, local, _, state, *_ = line.split(maxsplit=4)
            if state != _LISTENING:
                found.add(int(local.rpartition(":")[2], 16))
    return {port for port in found if low <= port <= high}
