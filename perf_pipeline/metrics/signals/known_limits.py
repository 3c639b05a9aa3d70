"""The values that signals cannot pass: what the machine and the servers allow."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import psutil

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.samples.campaign.signal_limits import SignalLimit, SignalLimits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.servers.server import Server

_TARGET = "target"
_REDIS = "redis"


def known_limits(pids: Sequence[int], servers: Iterable[Server]) -> SignalLimits:
    """Return the limits of the target's signals and of its servers', as they are now.

    Args:
        pids: The target's worker processes; they live.
        servers: The campaign's.
    """
    memory_bytes = psutil.virtual_memory().total
    return SignalLimits(
        {
            **_machine_limits(read_machine_limits(), memory_bytes),
            **_file_limits(pids),
            **server_limits(servers),
        }
    )


def _machine_limits(machine: MachineLimits, memory_bytes: int) -> dict[str, SignalLimit]:
    """Return the limits of memory and threads."""
    memory = SignalLimit(float(memory_bytes), "memory of the machine")
    group = machine.memory_group
    if group is not None and group.limit < memory_bytes:
        memory = SignalLimit(float(group.limit), group.source)
    found = {f"{_TARGET}.{name}": memory for name in ("uss_bytes", "rss_bytes")}
    if machine.tasks is not None:
        tasks = SignalLimit(float(machine.tasks.limit), machine.tasks.source)
        found[f"{_TARGET}.threads"] = tasks
    return found


def _file_limits(pids: Sequence[int]) -> dict[str, SignalLimit]:
    """Return the limit of open files: that of each process, for all together."""
    try:
        each = [resource.prlimit(pid, resource.RLIMIT_NOFILE)[0] for pid in pids]
    except ProcessLookupError:
        return {}  # it has just ended, which the hour says
    if not each or resource.RLIM_INFINITY in each:
        return {}
    source = f"ulimit -n, {min(each)} a process"
    return {f"{_TARGET}.open_files": SignalLimit(float(sum(each)), source)}


def server_limits(servers: Iterable[Server]) -> dict[str, SignalLimit]:
    """Return the limits of sessions, and of the memory of a Redis that has one."""
    found = {}
    for server in servers:
        facts = server.facts
        if facts.max_connections is not None:
            name = "maxclients" if server.service == _REDIS else "max_connections"
            limit = SignalLimit(float(facts.max_connections), f"{name} of {facts.product}")
            found[f"{server.service}.sessions"] = limit
        memory_bytes = int(facts.settings.get("maxmemory", "0"))
        if memory_bytes:
            source = f"maxmemory of {facts.product}"
            found[f"{server.service}.used_memory_bytes"] = SignalLimit(float(memory_bytes), source)
    return found
