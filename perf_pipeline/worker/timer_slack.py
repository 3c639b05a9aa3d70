"""The timer slack: how late the kernel may wake a sleeping thread to save a wake-up.

It is 50 µs by default. With that, 16 threads at 100 starts a second began 156 µs late at the
median, at 500 a second 97; with 1 ns, 48 at 500 and 23 at 2000 (measured in a trial).
"""

from __future__ import annotations

import ctypes
import os

_PR_SET_TIMERSLACK, _PR_GET_TIMERSLACK = 29, 30
SLACK_NS = 1


def tighten_timers() -> None:
    """Give this thread, and those that it starts, the smallest slack.

    A kernel that refuses keeps its own; the manifest shows the value in effect.
    """
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(SLACK_NS), 0, 0, 0)


def timer_slack() -> str:
    """Return the timer slack of this thread in ns, or why it is unavailable."""
    library = ctypes.CDLL(None, use_errno=True)
    slack_ns = library.prctl(_PR_GET_TIMERSLACK, 0, 0, 0, 0)
    if slack_ns < 0:
        return f"unavailable: {os.strerror(ctypes.get_errno())}"
    return str(slack_ns)
