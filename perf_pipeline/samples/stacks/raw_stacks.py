"""Call stacks in the folded form that ``py-spy record --format raw`` writes.

A line is a stack from its outermost frame to its innermost one, and how many samples had it::

    run (threading.py:982);order (shop.py:13);parse (shop.py:3);scan_once (_json.c:1135) 12
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]*?)(?::(?P<line>\d+))?\)")
_NATIVE_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".inc", ".rs", ".s", ".asm")
_ADDRESS = "0x"


@dataclass(frozen=True)
class Frame:
    """One call of a stack.

    Attributes:
        function: Its name, with its class where that is known; of a native function without a
            symbol the library in brackets, because its address differs in every process.
        file: Source file, shortened to its package; of native code without debug information the
            library.
        line: The line that is executed; 0 where it is not known.
        is_native: Whether it is machine code (C, C++, Rust) and not Python.
    """

    function: str
    file: str
    line: int
    is_native: bool


Stack = tuple[Frame, ...]
"""From the outermost frame to the innermost one."""


def parse_raw_stacks(text: str) -> Mapping[Stack, int]:
    """Read folded stacks.

    Raises:
        ValueError: A line is no stack with a count; the text names it.
    """
    counts: Counter[Stack] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        frames, _, count = line.rpartition(" ")
        if not frames or not count.isdecimal():
            raise ValueError(f"line {number} is no stack with a number of samples: {line[:200]!r}")
        counts[tuple(map(parse_frame, frames.split(";")))] += int(count)
    return counts


@lru_cache(maxsize=100_000)
def parse_frame(text: str) -> Frame:
    """Read one frame, ``function (file:line)``; one without a line is native."""
    found = _FRAME.fullmatch(text)
    if found is None:
        return Frame(text, "", 0, is_native=True)
    function, file, line = found["function"], found["file"], int(found["line"] or 0)
    if function.startswith(_ADDRESS):
        return Frame(f"[{file}]", file, 0, is_native=True)
    is_native = found["line"] is None or file.lower().endswith(_NATIVE_SOURCES)
    return Frame(function, file, line, is_native)
