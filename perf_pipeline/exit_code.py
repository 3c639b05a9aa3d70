"""The exit codes of every command of this project."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says.

    Attributes:
        COMPLETE: Everything was measured, and every gate held.
        GATE_FAILED: A gate or an objective failed.
        TARGET_FAILED: The target failed, so there is nothing to judge; the same code.
        BAD_INPUT: Usage or bad input; nothing was started.
        NOT_A_MEASUREMENT: Any other validity than ``valid``, or no data.
        DEFECT: A defect of ours; where the traceback is kept was printed.
        GAVE_UP_WAITING: Another load run had this host's load lock for longer than was allowed.
        HUNG_UP: SIGHUP, such as a terminal that was closed; partial results and report are kept.
        INTERRUPTED: SIGINT, such as Ctrl-C; likewise.
        TERMINATED: SIGTERM; likewise.
    """

    COMPLETE = 0
    GATE_FAILED = 1
    TARGET_FAILED = GATE_FAILED
    BAD_INPUT = 2
    NOT_A_MEASUREMENT = 3
    DEFECT = 70
    GAVE_UP_WAITING = 75
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143
