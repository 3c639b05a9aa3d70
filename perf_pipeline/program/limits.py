"""Limits of the session under which no command can work, whatever it is asked to do.

Libraries end the process under them with a code of their own (1 reads as a gate that failed), or
with an error that does not name the limit.
"""

from __future__ import annotations

import resource

MIN_MEMORY_BYTES = 2 * 10**9
"""With 1.6 GB a run fails or hangs once its load is over; charts ask for more, and say so."""
MIN_LIGHT_BYTES = 7 * 10**8
"""For commands that neither measure nor draw: `doctor`, which shows the limits, works with it."""
MIN_FILE_BYTES = 64 * 1024**2
"""The history of the runs and the journal of a short run fit."""
_MEMORY = (
    (resource.RLIMIT_AS, "its address space", "ulimit -v"),
    (resource.RLIMIT_DATA, "its data", "ulimit -d"),
)


def limits_refused(*, is_light: bool = False) -> str:
    """Return which limits are too low and how to raise them; empty if none is.

    Args:
        is_light: Whether the command neither measures nor draws.
    """
    min_memory, needing = (
        (MIN_LIGHT_BYTES, "every command") if is_light else (MIN_MEMORY_BYTES, "this command")
    )
    limits = [(*one, min_memory) for one in _MEMORY]
    limits.append((resource.RLIMIT_FSIZE, "a file", "ulimit -f", MIN_FILE_BYTES))
    return "; ".join(
        f"this session limits the size of {what} to {limit / 1e6:,.2f} MB ({command}); "
        f"{needing} needs at least {minimum / 1e6:,.0f} MB: raise the limit ({command} unlimited)"
        for kind, what, command, minimum in limits
        if 0 <= (limit := resource.getrlimit(kind)[0]) < minimum
    )
