"""Limits of the session under which no command can work, whatever it is asked to do.

Libraries end the process under them with a code of their own (1 reads as a gate that failed), or
with an error that does not name the limit.
"""

from __future__ import annotations

import resource

MIN_MEMORY_BYTES = 2 * 10**9
"""With 1.6 GB a run fails or hangs once its load is over; charts ask for more, and say so."""
MIN_FILE_BYTES = 64 * 1024**2
"""The history of the runs and the journal of a short run fit."""
_LIMITS = (
    (resource.RLIMIT_AS, MIN_MEMORY_BYTES, "its address space", "ulimit -v"),
    (resource.RLIMIT_DATA, MIN_MEMORY_BYTES, "its data", "ulimit -d"),
    (resource.RLIMIT_FSIZE, MIN_FILE_BYTES, "a file", "ulimit -f"),
)


def limits_refused() -> str:
    """Return which limits are too low and how to raise them; empty if none is."""
    return "; ".join(
        f"this session limits the size of {what} to {limit / 1e6:,.2f} MB ({command}); "
        f"perf_pipeline needs at least {minimum / 1e6:,.0f} MB: raise the limit"
        for kind, minimum, what, command in _LIMITS
        if 0 <= (limit := resource.getrlimit(kind)[0]) < minimum
    )
