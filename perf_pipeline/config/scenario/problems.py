"""All problems of a scenario and its flags, collected before anything is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.key_names import key_name
from perf_pipeline.config.wording import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.scenario.positions import KeyPath

_AFTER_THE_FILE = 10**9


class Problems:
    """Collects sentences, each with the source of its value: a line of the file, or a flag.

    Attributes:
        file: Name of the file as messages show it.
        lines: Line of every key path of the file.
        flags: Key path to the flag that replaced the file's value.
    """

    def __init__(self, file: str) -> None:
        self.file = printable(file)
        self.lines: Mapping[KeyPath, int] = {}
        self.flags: dict[KeyPath, str] = {}
        self._names: dict[KeyPath, str] = {}
        self._found: dict[tuple[int, str], None] = {}  # a set that keeps its order
        self._wrong: set[KeyPath] = set()

    def at(self, path: KeyPath, text: str) -> None:
        """Add ``<where>: <key> <text>`` for the value at ``path``.

        A value without a line of its own (it is missing, or the default) has the line of the
        nearest table around it; one that a flag replaced has the flag's name instead.
        """
        self._wrong.add(path)
        for length in range(len(path), 0, -1):
            part = path[:length]
            if part in self.flags:
                self.flag(self.flags[part], text)
                return
            if part in self.lines:
                line = self.lines[part]
                self._add(line, f"{self.file} line {line}: {self._name(path)} {text}")
                return
        self._add(0, f"{self.file}: {self._name(path)} {text}")

    def written(self, path: KeyPath, name: str) -> None:
        """Note by which name the value at ``path`` was written; its line is that of the name."""
        self._names[path] = name
        given = (*path[:-1], name)
        if given in self.lines:
            self.lines = {**self.lines, path: self.lines[given]}

    def replaced(self, path: KeyPath, flag: str) -> None:
        """Note that a flag replaced the value at ``path``; problems found before remain."""
        self.flags[path] = flag

    def flag(self, flag: str, text: str) -> None:
        """Add ``<flag> <text>``."""
        self._add(_AFTER_THE_FILE, f"{flag} {text}")

    def file_as_a_whole(self, text: str, line: int = 0) -> None:
        """Add a sentence about the text itself, before any key of it is known."""
        self._add(line, text)

    def is_good(self, *paths: KeyPath) -> bool:
        """Return whether no problem was added for any of the paths or a table around them."""
        return not any(
            path[:length] in self._wrong for path in paths for length in range(len(path) + 1)
        )

    def sentences(self) -> list[str]:
        """Return the sentences in the order of the file; flags come last."""
        return [text for _, text in sorted(self._found, key=lambda found: found[0])]

    def _add(self, line: int, text: str) -> None:
        self._found[line, text] = None

    def _name(self, path: KeyPath) -> str:
        """Return a key as it was written, or as people write it where it was not."""
        table, last = path[0], path[-1]
        if path in self._names:
            last = self._names[path]
        elif path not in self.lines and isinstance(table, str) and isinstance(last, str):
            last = key_name(table, last)
        return _dotted((*path[:-1], last))


def _dotted(path: KeyPath) -> str:
    """Return ``arm[2].label`` for ``("arm", 1, "label")``: people count from 1."""
    name = ""
    for part in path:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{printable(part)}"
    return name.removeprefix(".")
