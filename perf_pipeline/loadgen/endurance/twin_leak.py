"""What the twin of a target leaks on purpose: the smallest leak that a campaign claims to see."""

from __future__ import annotations

CLAIMED_SHARE = 0.05
"""Growth over the whole campaign as a share of the process's memory: a leak of this size is never
called clean."""

PROCESS_BYTES = 64_000_000
"""Memory of a small target: of a larger one the twin's leak is a smaller share."""

MIN_BYTES = 64
"""One small object of the interpreter."""


def twin_leak_bytes(workflows: int) -> int:
    """Return what the twin leaks with each workflow of a campaign, bytes.

    Args:
        workflows: Of the whole campaign, > 0.
    """
    return max(MIN_BYTES, round(CLAIMED_SHARE * PROCESS_BYTES / workflows))
