"""How far each log file was shipped: one JSON file, replaced whole after each accepted batch."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.samples.run_file import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Positions:
    """The offset of the next line of each file, for one store.

    Attributes:
        path: Where they are stored.
    """

    def __init__(self, path: Path) -> None:
        """Read what is stored; a file that is missing or damaged begins anew.

        Lines that are sent again have the same ids, so beginning anew costs time and no doubles.
        """
        self.path = path
        self._offsets: dict[str, tuple[int, int]] = {}
        try:
            stored = json.loads(path.read_bytes())
            self._offsets = {str(name): (int(a), int(b)) for name, (a, b) in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._offsets = {}

    def offset(self, name: str, path: Path) -> int:
        """Return where the next line of a file begins; 0 for one that was replaced."""
        inode, offset = self._offsets.get(name, (0, 0))
        found = path.stat()
        return offset if inode == found.st_ino and offset <= found.st_size else 0

    def accept(self, name: str, path: Path, offset: int) -> None:
        """Note that a file was shipped up to an offset; ``write`` stores it."""
        self._offsets[name] = (path.stat().st_ino, offset)

    def write(self) -> None:
        """Store the offsets, whole or not at all."""
        write_atomically(self.path, json.dumps(self._offsets, indent=1).encode())


def positions_path(folder: Path, url: str) -> Path:
    """Return the file of the positions for a store; another store has another one."""
    return folder / f"shipped-{blake2b(url.encode(), digest_size=6).hexdigest()}.json"


@contextmanager
def only_shipper(path: Path) -> Iterator[None]:
    """Hold the lock of a positions file: two shippers would each send everything.

    Raises:
        PerfPipelineError: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise PerfPipelineError(
            f"another process ships to the same store already ({path.name}); end it first"
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)
