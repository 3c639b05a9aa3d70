"""How messages show a value from a file or flag: on one line, short, printable, inert.

Values come from files and flags that anyone may have written, so that control characters and
terminal escapes never reach the terminal, and an integer of 5000 digits is never converted.
"""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN_CHARACTERS = 60


def shown(value: object) -> str:
    """Return ``value`` as TOML would write it, on one line of at most about 60 characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return _cut(json.dumps(value))
    if isinstance(value, (list, tuple)):
        inner = ", ".join(shown(item) for item in value[:4]) + (", ..." if len(value) > 4 else "")  # noqa: PLR2004
        return f"a list of {len(value)}: [{_cut(inner)}]" if value else "an empty list"
    if isinstance(value, dict):
        return "a table"
    return _cut(json.dumps(str(value))[1:-1])


def printable(text: str) -> str:
    """Return ``text`` with everything that is not a plain printable character escaped."""
    return _cut("".join(c if c.isprintable() else _escape(c) for c in text), 200)


def with_article(noun: str) -> str:
    """Return ``a noun``, or ``an`` before a vowel."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def listed(words: Sequence[str]) -> str:
    """Return the words as ``a, b or c``."""
    *others, last = words or ("nothing",)
    return f"{', '.join(others)} or {last}" if others else last


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return ``did you mean "x"?`` for the nearest known word; empty if none is near."""
    near = difflib.get_close_matches(word[:200].lower(), known, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""


def _number(value: float) -> str:
    """Return 1e12 rather than 1000000000000.0, and never thousands of digits."""
    if isinstance(value, int):
        # Python refuses to print integers above 4300 digits, which are unreadable as well.
        bits = value.bit_length()
        return str(value) if bits <= 100 else f"an integer of {bits} bits"  # noqa: PLR2004
    short = f"{value:g}".replace("e+", "e")
    return short if "e" in short and float(short) == value else repr(value)


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) < 0x110000 else "?"  # noqa: PLR2004


def _cut(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
