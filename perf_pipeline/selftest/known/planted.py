"""A target whose workflow calls five functions of similar cost, one of which may be slower.

The variable ``SLOWED_FUNCTION`` names it: it does three quarters more. Three compute in Python, two
in native code; ``digest`` releases the interpreter lock meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import time

FUNCTIONS = ("parse", "score", "fold", "order", "digest")
SLOWED = "SLOWED_FUNCTION"
_FACTOR = 1.75
_WAIT_S = 0.0005
_TEXT = ",".join(map(str, range(100)))
_NUMBERS = [(7919 * number) % 10_007 for number in range(600)]
_BLOCK = b"x" * 60_000


def _rounds(function: str, rounds: int) -> int:
    return int(rounds * _FACTOR) if os.environ.get(SLOWED) == function else rounds


def parse() -> int:
    """Read numbers from a text."""
    total = 0
    for _ in range(_rounds("parse", 12)):
        for part in _TEXT.split(","):
            total += int(part)
    return total


def score() -> int:
    """Compute with whole numbers."""
    total = 0
    for number in range(_rounds("score", 4400)):
        total += (number * number) % 7
    return total


def fold() -> float:
    """Compute with floating-point numbers."""
    value = 1.0
    for number in range(_rounds("fold", 4000)):
        value = value * 0.5 + number * 0.25
    return value


def order() -> int:
    """Sort, in native code."""
    total = 0
    for _ in range(_rounds("order", 8)):
        total += sorted(_NUMBERS)[300]
    return total


def digest() -> str:
    """Hash, in native code that releases the interpreter lock."""
    text = ""
    for _ in range(_rounds("digest", 4)):
        text = hashlib.sha256(_BLOCK).hexdigest()
    return text


def work(_number: int) -> str:
    """Execute a workflow: every function once, then a short wait."""
    parse()
    score()
    fold()
    order()
    text = digest()
    time.sleep(_WAIT_S)
    return text
