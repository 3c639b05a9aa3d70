"""The data file of a workload: a row for each call of a user's own function.

A CSV file with a header gives a dict of texts a row, as k6's SharedArray with papaparse, JMeter's
CSV Data Set Config and Gatling's feeders do; a file of JSON lines gives any JSON value a line.
Workflow ``n`` gets row ``n`` modulo the number of rows: the same row in every worker process and
every run.

Imported in the target's process as well: standard library only.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".csv", ".jsonl")
MAX_ROWS = 100_000
MAX_BYTES = 50_000_000
"""Every worker process has all rows in memory."""

_SHOWN_MAX = 10


@dataclass(frozen=True)
class DataFile:
    """The rows of a data file, or what is wrong with it.

    Attributes:
        rows: A value for each row.
        sha256: Of the content; empty where it could not be read.
        problems: Tails of sentences about the file, with the number of each bad line; empty if
            it can be used.
    """

    rows: tuple[Any, ...] = ()
    sha256: str = ""
    problems: tuple[str, ...] = ()


def read_data(path: str) -> DataFile:
    """Read a data file; every problem at once, of bad lines the first ten."""
    file = Path(path)
    if file.suffix not in SUFFIXES:
        return _wrong(f"is {path!r}; allowed are {' and '.join(SUFFIXES)} files")
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            return _wrong(
                f"is {path!r} with {size:,} bytes; allowed are {MAX_BYTES:,}, as every worker has "
                "all of it in memory: use a part of it"
            )
        content = file.read_bytes()
        text = content.decode("utf-8-sig")  # spreadsheets begin a file with a byte order mark
    except OSError as error:
        return _wrong(f"is {path!r}, which cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _wrong(f"is {path!r}: line {line} is not UTF-8")
    rows: list[Any] = []
    problems: list[str] = []
    for number, row, problem in (csv_rows if file.suffix == ".csv" else json_rows)(text):
        if problem:
            problems.append(f"is {path!r}: line {number} {problem}")
        else:
            rows.append(row)
    if len(rows) > MAX_ROWS:
        problems.append(f"is {path!r} with {len(rows):,} rows; allowed are {MAX_ROWS:,}")
    if not rows and not problems:
        problems.append(f"is {path!r}, which has no rows")
    more = len(problems) - _SHOWN_MAX
    if more > 0:
        problems[_SHOWN_MAX:] = [f"is {path!r}, which has {more:,} bad lines more"]
    digest = hashlib.sha256(content).hexdigest()
    return DataFile(tuple(rows), digest, tuple(f"{problem}." for problem in problems))


def rows_of(path: str, sha256: str) -> tuple[Any, ...]:
    """Return the rows of a file that was checked before the run.

    Raises:
        ValueError: It cannot be used, or is not what it was when the run was planned.
    """
    data = read_data(path)
    if data.problems:
        raise ValueError(f"data {data.problems[0]}")
    if data.sha256 != sha256:
        raise ValueError(f"{path} has changed since the run was planned: start the run again")
    return data.rows


def _wrong(problem: str) -> DataFile:
    return DataFile(problems=(f"{problem}.",))


def csv_rows(text: str) -> Iterator[tuple[int, Any, str]]:
    """Yield the number of a line, its row, and what is wrong with it."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        for fields in reader:
            if not fields:
                continue  # an empty line
            if header is None:
                header = fields
                if "" in fields or len(set(fields)) < len(fields):
                    yield reader.line_num, None, "is the header; each column needs its own name"
            elif len(fields) != len(header):
                problem = f"has {len(fields)} values; the header has {len(header)} names"
                yield reader.line_num, None, problem
            else:
                yield reader.line_num, dict(zip(header, fields, strict=True)), ""
    except csv.Error as error:
        yield reader.line_num, None, f"is not CSV: {error}"


def json_rows(text: str) -> Iterator[tuple[int, Any, str]]:
    """As ``csv_rows``, of JSON lines; only a line feed ends one, as others may be in a text."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield number, None, f"is not JSON: {error}"
            else:
                yield number, row, ""
