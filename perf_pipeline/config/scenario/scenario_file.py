"""Reading the text of a scenario file; anything that is not one is a problem, not a hang."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from perf_pipeline.config.wording import printable
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 16 * 1024
"""Built-in scenarios have about 1 kB. One dotted key of 64 kB keeps ``tomllib`` busy for 17 s."""

_BOM = b"\xef\xbb\xbf"


def read_text(path: Path) -> str:
    """Read a scenario's text; symbolic links are followed.

    Args:
        path: A regular file of 1 to ``MAX_FILE_BYTES`` bytes of UTF-8.

    Returns:
        The text, with line ends as in the file.

    Raises:
        ScenarioError: It is not there, not readable, not a regular file, empty, too large, or
            not UTF-8 without a byte order mark; the one problem says which.
    """
    name = printable(str(path))
    try:
        data = _read_bytes(path)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise ScenarioError([f"{name}: cannot be read: {reason}."]) from error
    except ValueError as error:  # NUL or a lone surrogate in the path
        raise ScenarioError([f"{name}: is not a path: {printable(str(error))}."]) from error
    if data is None:
        raise ScenarioError([f"{name}: is not a regular file; give the path of a TOML file."])
    if len(data) > MAX_FILE_BYTES:
        raise ScenarioError(
            [f"{name}: is larger than {MAX_FILE_BYTES:,} bytes, so it is not a scenario."]
        )
    if data.startswith(_BOM):
        raise ScenarioError(
            [f"{name} line 1: begins with a byte order mark; save it as UTF-8 without one."]
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"byte {data[error.start]:#04x} is not UTF-8, which TOML is"
        raise ScenarioError([f"{name} line {line}: {what}; save the file as UTF-8."]) from error


def _read_bytes(path: Path) -> bytes | None:
    """Read at most one byte more than is allowed; None if it is not a regular file."""
    with open(path, "rb", opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        return file.read(MAX_FILE_BYTES + 1)


def _open_without_waiting(path: str, flags: int) -> int:
    """Open without blocking: a named pipe would wait for its writer for ever."""
    return os.open(path, flags | os.O_NONBLOCK)
