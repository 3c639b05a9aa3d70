"""One workflow's record: its outcome and its times.

Three times, all of CLOCK_MONOTONIC (comparable between the processes of one host, never going
back): *intended start* is when the plan says the workflow should start, *start* is when it was
handed to the target, *end* is when the answer was there and had been checked. In a closed loop
nothing is intended ahead of time, so intended start = start.

This module is imported in the target's process: standard library only.
"""

from __future__ import annotations

import struct
from enum import IntEnum

RECORD = struct.Struct("<qqqqIBBBB")
"""number, intended_start_ns, start_ns, end_ns, slot, kind, outcome, error_class, flags."""

RECORD_WORDS = 5
"""``RECORD`` as int64 words, little-endian: the last five fields are one, see ``record_word``."""

COLD = 1
"""Flag: the first execution of this kind in this process; never mixed with the rest."""

NOT_STARTED = 2
"""Flag: an arrival of an open level that was never handed to the target; start = end is when it
was given up, so that end - intended start is how long it had waited."""

TIMES_LOST = 4
"""Flag: an arrival of an open level that was started, and whose record its worker took with it."""

CARRIED = 8
"""Flag that readers add: still in flight when the stage began, so counted in the one before it."""

FAULTED = 16
"""Flag that readers add: it waited or was in flight between the injection of a failure and when
that was gone."""


class Outcome(IntEnum):
    """How a scheduled workflow ended; scheduled is exactly the sum of the five."""

    OK = 0  # answered, and every node's result was checked and right
    ERROR = 1  # answered wrongly, or raised; the error class says how
    TIMEOUT = 2  # not answered within the deadline, whether or not an answer came later
    DROPPED = 3  # never started: no free slot within the start timeout (open loop only)
    ABANDONED = 4  # cut short by our own stop: neither success nor failure


class ErrorClass(IntEnum):
    """Why a workflow ended with ``Outcome.ERROR``."""

    NONE = 0
    TIMEOUT = 1
    CONNECTION = 2
    RESOURCE_EXHAUSTION = 3
    WRONG_RESULT = 4
    WORKFLOW_ERROR = 5
    TARGET_CRASH = 6
    OTHER = 7


def record_word(
    slot: int, kind: int = 0, outcome: int = 0, error_class: int = 0, flags: int = 0
) -> int:
    """Return the last field of a record; ``flags`` < 128, so that it fits a signed integer."""
    return slot | kind << 32 | outcome << 40 | error_class << 48 | flags << 56


def cold_number(kind: int, worker: int, kinds: int) -> int:
    """Return the number of a cold start: negative, so that it differs from all of the plan."""
    return -1 - kind - kinds * worker


def cold_kind(number: int, kinds: int) -> int:
    """Return the kind of the cold start ``number``: the inverse of ``cold_number``."""
    return (-1 - number) % kinds
