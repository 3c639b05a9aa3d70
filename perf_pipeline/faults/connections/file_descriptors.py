"""The open files that this process may have: each connection is one."""

from __future__ import annotations

import resource

from perf_pipeline.faults.fault import FaultRefusedError

_OTHERS = 200
"""Files and connections of this process beside those that are asked for."""


def allow_connections(count: int) -> None:
    """Let this process have so many connections.

    Raises:
        FaultRefusedError: The hard limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + _OTHERS
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise FaultRefusedError(
            f"{count} connections are needed to take all that the server accepts, and a process "
            f"may have {hard} open files here (ulimit -Hn): raise that, or lower the server's limit"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
