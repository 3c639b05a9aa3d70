"""The random choices of a proxy: seeded, and written down one a line.

Each toxic draws for each connection from a stream of its own, whose seed is the proxy's seed, its
name and the numbers of both. So the choices do not depend on how connections interleave: the same
seed gives the same n-th choice for the same connection, and the lines carry no times. Connections
of clients are numbered from 0 on, those of whoever looks at the path from -1 down.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path

DECISIONS_FILE = "proxy_decisions.jsonl"
"""In the folder of a run."""


class Decisions:
    """Makes the streams of random numbers, and appends what they decided to a file."""

    def __init__(self, seed: int, path: Path | None) -> None:
        """Prepare; the file is opened at the first choice.

        Args:
            seed: Of every choice.
            path: The file, JSON lines; None to write nothing.
        """
        self._seed = seed
        self._path = path
        self._file: TextIO | None = None

    def stream(self, *key: str | int) -> random.Random:
        """Return the stream of random numbers of a key."""
        return random.Random("/".join(map(str, (self._seed, *key))))

    def note(self, proxy: str, connection: int, **choice: str | float | bool) -> None:
        """Append a choice for a connection of a proxy."""
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("a", encoding="utf-8")
        line = {"proxy": proxy, "connection": connection, **choice}
        self._file.write(json.dumps(line) + "\n")

    def flush(self) -> None:
        """Have what was noted in the file."""
        if self._file is not None:
            self._file.flush()
