"""Names that become part of a path, a pattern or a statement: the one place that checks them.

A results folder, an archive or a lease may have been written by anybody, so a name that was read
is checked before it is used. Only ASCII letters, digits and a few signs are allowed: no separator,
no wildcard, no leading dot or dash, and no letter of another alphabet that looks like one of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from perf_pipeline.config.wording import shown
from perf_pipeline.errors import RunFolderError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NameKind = Literal["run id", "comparison id", "scenario name", "level name", "baseline name"]

_RULES: dict[NameKind, tuple[re.Pattern[str], str]] = {
    # 57: the name of the run's schema, "perf_" and the id, has at most 63 characters (PostgreSQL).
    "run id": (
        re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,56}"),
        "1 to 57 of A-Z, a-z, 0-9, _, - and ., beginning with a letter or digit",
    ),
    "comparison id": (
        re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,56}"),
        "1 to 57 of A-Z, a-z, 0-9, _, - and ., beginning with a letter or digit",
    ),
    "scenario name": (
        re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}"),
        "1 to 80 of A-Z, a-z, 0-9, _, - and .",
    ),
    # An open level of a capacity search is called by its rate: 1e+06-per-s.
    "level name": (
        re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,79}"),
        "1 to 80 of A-Z, a-z, 0-9, _, -, + and .",
    ),
    "baseline name": (
        re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}"),
        "1 to 80 of A-Z, a-z, 0-9, _, -, . and /, beginning with a letter or digit",
    ),
}


def is_name(kind: NameKind, text: object) -> bool:
    """Return whether a text may be used as such a name."""
    return isinstance(text, str) and _RULES[kind][0].fullmatch(text) is not None


def allowed(kind: NameKind) -> str:
    """Return which names are allowed, for messages."""
    return _RULES[kind][1]


def name_problem(kind: NameKind, text: object) -> str:
    """Return what is wrong with a name, as a sentence without its end; empty if nothing is."""
    if is_name(kind, text):
        return ""
    return f"{shown(text)} is not a {kind} ({allowed(kind)}; it becomes part of file names)"


def check_names(source: Path, names: Iterable[tuple[NameKind, object]]) -> None:
    """Check the names that a file holds.

    Args:
        source: The file, for the message.
        names: Kind and text of each.

    Raises:
        RunFolderError: One is none; the text names it.
    """
    for kind, text in names:
        if problem := name_problem(kind, text):
            raise RunFolderError(f"{source} was not written by perf_pipeline: {problem}")
