"""Reads the TOML document of a scenario file; a path to a pipe or device does not hang."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.scenario.keys import MAX_FILE_BYTES
from perf_pipeline.config.scenario.positions import key_lines
from perf_pipeline.config.wording import printable
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.scenario.problems import Problems

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


def load_document(text: str, problems: Problems) -> dict[str, Any] | None:
    """Load the TOML of a scenario, and note the line of each key for messages.

    Returns:
        The document; None, with a problem added, if the text is not TOML or is empty.
    """
    file = problems.file
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, line, column = _syntax_error(str(error), text)
        what = _given_twice(what) or what
        where = f"line {line}" + (f", column {column}" if column else "")
        problems.file_as_a_whole(f"{file} {where}: is not TOML: {what}.", line)
    except RecursionError:
        problems.file_as_a_whole(f"{file}: is nested too deeply; no value is deeper than 3.")
    except ValueError as error:  # an integer of more than 4300 digits
        problems.file_as_a_whole(f"{file}: holds an impossible value: {printable(str(error))}.")
    else:
        if document:
            problems.lines = key_lines(text)
            return document
        problems.file_as_a_whole(
            f"{file}: is empty; a scenario needs at least concurrency and one [[workload]]."
        )
    return None


def _syntax_error(message: str, text: str) -> tuple[str, int, int | None]:
    """Split ``Invalid value (at line 3, column 5)``; the end of the document is its last line."""
    found = re.fullmatch(
        r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL
    )
    if found is None:
        return printable(message), 1, None
    what = printable(found[1][:1].lower() + found[1][1:])
    if found[2] is None:
        return what, text.count("\n") + (not text.endswith("\n")), None
    return what, int(found[2]), int(found[3])


def _given_twice(what: str) -> str | None:
    """Explain that a list of tables is written in two forms, which TOML forbids."""
    if found := re.search(r"cannot mutate immutable namespace \('(\w+)',", what):
        name = found[1]
        return f"{name} is given twice: use either `{name} = [...]` or [[{name}]] tables"
    return None


def _read_bytes(path: Path) -> bytes | None:
    """Read at most one byte more than is allowed; None if it is not a regular file."""
    with open(path, "rb", opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        return file.read(MAX_FILE_BYTES + 1)


def _open_without_waiting(path: str, flags: int) -> int:
    """Open without blocking: a named pipe would wait for its writer for ever."""
    return os.open(path, flags | os.O_NONBLOCK)
