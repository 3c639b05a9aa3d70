"""Whether this process can start threads; where it cannot, its libraries fail without a word."""

from __future__ import annotations

import resource
import threading

_NEEDED = 4
"""Threads that the libraries of a command start when they are imported, at least."""


def threads_refused() -> str:
    """Return why this process cannot start the threads that it needs; empty if it can."""
    ended = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(_NEEDED):
            thread = threading.Thread(target=ended.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError as error:
        stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
        size = "unlimited" if stack == resource.RLIM_INFINITY else f"{stack / 1e6:,.0f} MB"
        return (
            f"only {len(started)} of {_NEEDED} threads could be started ({error}): a stack of "
            f"{size} (ulimit -s) does not fit into memory or address space (ulimit -v), or the "
            "limit on threads is reached (ulimit -u, pids.max); lower or raise the one that it is"
        )
    finally:
        ended.set()
        for thread in started:
            thread.join()
    return ""
