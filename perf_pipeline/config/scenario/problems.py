"""All problems of a scenario and its flags, collected before anything is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
                self._add(line, f"{self.file} line {line}: {_name(path)} {text}")
                return
        self._add(0, f"{self.file}: {_name(path)} {text}")

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


def _name(path: KeyPath) -> str:
    """Return ``arm[2].label`` for ``("arm", 1, "label")``: people count from 1."""
    name = ""
    for part in path:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{printable(part)}"
    return name.removeprefix(".")
