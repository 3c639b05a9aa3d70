"""Finds the line of each key and list element of a TOML text.

``tomllib`` gives values without positions. This scanner only reads texts that ``tomllib`` has
accepted, so it follows strings, comments, brackets and dots alone; a string is one token.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""``("arm", 0, "label")``: names of tables and keys, indices of list elements, from 0."""

MAX_DEPTH = 8
"""Deeper values have no line; no key of a scenario is deeper than 3."""

_TOKEN = re.compile(
    r"""
    (?P<skip>   [ \t\r]+ | \#[^\n]* )
  | (?P<newline> \n )
  | (?P<string> \"{3} (?:\\.|[^\\])*? \"{3,5}     # up to two quotes may touch the closing ones
              | '{3}  .*?             '{3,5}
              | \"    (?:\\.|[^"\\])* \"
              | '     [^']*           ' )
  | (?P<mark>   [\[\]{}=,.] )
  | (?P<bare>   [^\s\#\[\]{}=,."']+ )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


def key_lines(text: str) -> dict[KeyPath, int]:
    """Find the line of every key, table and list element of a valid TOML text.

    Args:
        text: A text that ``tomllib.loads`` accepts.

    Returns:
        Path to line number, counted from 1. A table's line is the one of its first mention; an
        element of an array of tables has the line of its header. Paths of more than ``MAX_DEPTH``
        parts are left out.
    """
    scan = _Scan(_tokens(text))
    scan.document()
    return scan.lines


def _tokens(text: str) -> list[_Token]:
    tokens, line = [], 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "skip":
            tokens.append(_Token(kind, match.group(), line))
        line += match.group().count("\n")
    return tokens


class _Scan:
    """One pass over the tokens; ``at`` is the next one."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.elements: dict[KeyPath, int] = {}  # array of tables -> how many so far

    def peek(self) -> str:
        """Return the next token's text; empty at the end. A string is never a mark."""
        if self.at == len(self.tokens):
            return ""
        token = self.tokens[self.at]
        return "string" if token.kind == "string" else token.text

    def document(self) -> None:
        table: KeyPath = ()
        while self.at < len(self.tokens):
            if self.peek() == "\n":
                self.at += 1
            elif self.peek() == "[":
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> KeyPath:
        line = self.tokens[self.at].line
        self.at += 1
        repeated = self.peek() == "["
        self.at += 1 if repeated else 0
        parts = self.key("]")
        self.at += 2 if repeated else 1
        path: KeyPath = ()
        for part in parts[:-1]:
            path = self.step(path, part, line)
        last = (*path, parts[-1])
        self.note(last, line)
        if not repeated:
            return last
        index = self.elements.get(last, 0)
        self.elements[last] = index + 1
        self.note((*last, index), line)
        return (*last, index)

    def step(self, path: KeyPath, part: str, line: int) -> KeyPath:
        """Go one part down; ``[a.b]`` below ``[[a]]`` belongs to the newest element of a."""
        path = (*path, part)
        self.note(path, line)
        return (*path, self.elements[path] - 1) if path in self.elements else path

    def pair(self, table: KeyPath) -> None:
        line = self.tokens[self.at].line
        path = table
        for part in self.key("="):
            path = (*path, part)
            self.note(path, line)
        self.at += 1
        self.value(path)

    def key(self, end: str) -> list[str]:
        """Read the parts of a dotted key, up to but without ``end``."""
        parts = []
        while self.peek() not in (end, ""):
            token = self.tokens[self.at]
            if token.kind == "string":
                parts.append(tomllib.loads(f"k = {token.text}")["k"])
            elif token.kind == "bare":
                parts.append(token.text)
            self.at += 1
        return parts

    def value(self, path: KeyPath) -> None:
        if self.peek() not in ("[", "{"):
            while self.peek() not in (",", "]", "}", "\n", ""):
                self.at += 1
        elif len(path) >= MAX_DEPTH:
            self.skip_brackets()
        elif self.peek() == "[":
            self.array(path)
        else:
            self.inline_table(path)

    def array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self.peek() not in ("]", ""):
            if self.peek() in (",", "\n"):
                self.at += 1
                continue
            self.note((*path, index), self.tokens[self.at].line)
            self.value((*path, index))
            index += 1
        self.at += 1

    def inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self.peek() not in ("}", ""):
            if self.peek() in (",", "\n"):
                self.at += 1
            else:
                self.pair(path)
        self.at += 1

    def skip_brackets(self) -> None:
        open_brackets = 0
        while self.at < len(self.tokens):
            open_brackets += {"[": 1, "{": 1, "]": -1, "}": -1}.get(self.peek(), 0)
            self.at += 1
            if open_brackets == 0:
                return

    def note(self, path: KeyPath, line: int) -> None:
        if len(path) <= MAX_DEPTH:
            self.lines.setdefault(path, line)
