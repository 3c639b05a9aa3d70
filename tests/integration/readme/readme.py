"""README.md in parts: its fenced blocks, its tables, and the words that it quotes."""

from __future__ import annotations

import re

from tests.sandbox import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
PROSE = _BLOCK.sub("", README)


def blocks(language: str) -> list[str]:
    """Return the bodies of all blocks of a language, in their order; empty for those of none."""
    return [body for found, body in _BLOCK.findall(README) if found == language]


def commands() -> list[str]:
    """Return the lines of all shell blocks, without their comments."""
    lines = [line for body in blocks("bash") for line in body.splitlines()]
    stripped = [re.sub(r"(^|\s+)#\s.*", "", line).strip() for line in lines]
    return [line for line in stripped if line and not line.startswith("export ")]


def table(head: str) -> list[list[str]]:
    """Return the cells of the rows of the table whose first head is ``head``."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert found, f"the README has no table of {head!r}"
    return [re.split(r" \| ", row.strip("| ")) for row in found[1].splitlines()]


def row(head: str, first: str) -> list[str]:
    """Return the cells of the row of a table that begins with ``first``."""
    (found,) = [cells for cells in table(head) if cells[0] == first]
    return found


def quoted(text: str) -> list[str]:
    """Return what stands in backticks, with line ends as blanks."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def sentence(start: str, end: str = r"\.\s") -> str:
    """Return the text of the README from ``start`` up to ``end``, an expression."""
    beginning = r"\s+".join(map(re.escape, start.split(" ")))  # wherever its lines end
    found = re.search(rf"{beginning}(.*?)(?:{end})", PROSE, re.DOTALL)
    assert found, f"the README does not say {start!r}"
    return " ".join(found[1].split())
