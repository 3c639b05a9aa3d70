"""What a target wrote into its worker's home, which belongs to the results and is archived."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from perf_pipeline.redaction.redact import REDACTOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

_PIECE_BYTES = 1 << 20
_OVERLAP_BYTES = 4096
"""More than a password, so that none is overlooked between two pieces."""


def remove_secret_files(home: Path) -> list[str]:
    """Remove the files of a worker's home that hold a password; returns their names.

    Links are removed only if their own name holds one: they are not followed.
    """
    removed = []
    for folder, _, names in os.walk(home):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - a name need not be text
            if _holds_secret(path):
                with contextlib.suppress(OSError):
                    os.unlink(path)  # noqa: PTH108
                    removed.append(os.path.relpath(path, home))
    return removed


def _holds_secret(path: str) -> bool:
    if REDACTOR.holds_secret(os.fsencode(path)):
        return True
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False  # a link, a socket, or gone
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return any(map(REDACTOR.holds_secret, _pieces(file)))


def _pieces(file: FileIO) -> Iterator[bytes]:
    """Yield the content of a file in pieces that overlap."""
    before = b""
    with contextlib.suppress(OSError):
        while piece := file.read(_PIECE_BYTES):
            yield before + piece
            before = piece[-_OVERLAP_BYTES:]
