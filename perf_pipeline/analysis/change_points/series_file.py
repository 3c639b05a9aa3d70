"""Reads series of numbers from a file: JSON lines, or CSV with a header."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.data_file import csv_rows, json_rows
from perf_pipeline.errors import SeriesFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SUFFIXES = (".csv", ".jsonl")
_SHOWN_PROBLEMS_MAX = 20
_SHOWN_VALUES_MAX = 3


@dataclass(frozen=True)
class NamedSeries:
    """One series of a file.

    Attributes:
        name: As it stands in the file.
        unit: Likewise; empty if it has none.
        values: In the order of the file, finite.
    """

    name: str
    unit: str
    values: tuple[float, ...]


def read_series(file: Path) -> list[NamedSeries]:
    """Return the series of a file, in its order.

    ``.jsonl``: one object a line with ``name``, ``value`` (a list of numbers) and perhaps
    ``unit``; other keys are ignored. ``.csv``: with a column ``value`` a row is a value of the
    series in the column ``name`` (without that, of one series with the name of the file), perhaps
    with a column ``unit``; without such a column every column of numbers is a series, which may
    end before the others do, and columns without any number are labels.

    Raises:
        SeriesFileError: It cannot be read, or a line of it is wrong; all problems at once.
    """
    problems: list[str] = []
    rows = read_rows(file)
    if is_json_lines(file):
        found = _of_objects(rows, problems)
    else:
        found = _of_table(rows, file.stem, problems)
    if not found and not problems:
        problems.append("has no series")
    refuse(file, problems)
    return found


def read_rows(file: Path) -> Iterator[tuple[int, Any, str]]:
    """Return the number of each line of a file, its object or row, and what is wrong with it.

    Raises:
        SeriesFileError: It cannot be read as a whole.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise SeriesFileError(
            [f"{file}: allowed are {' and '.join(SUFFIXES)} files, one object or row a line"]
        )
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SeriesFileError([f"{file}: cannot be read: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SeriesFileError([f"{file}: line {line} is not UTF-8"]) from error
    return (json_rows if is_json_lines(file) else csv_rows)(text)


def is_json_lines(file: Path) -> bool:
    """Return whether a file of series is read as JSON lines, and not as a table."""
    return file.suffix.lower() == ".jsonl"


def refuse(file: Path, problems: list[str]) -> None:
    """Report what is wrong with a file, all at once, unless nothing is.

    Raises:
        SeriesFileError: Something is.
    """
    shown, more = problems[:_SHOWN_PROBLEMS_MAX], len(problems[_SHOWN_PROBLEMS_MAX:])
    if more:
        shown.append(f"{more:,} problems more")
    if shown:
        raise SeriesFileError([f"{file}: {problem}" for problem in shown])


def _of_objects(rows: Iterable[tuple[int, Any, str]], problems: list[str]) -> list[NamedSeries]:
    """Return the series of JSON lines."""
    found = []
    for line, row, problem in rows:
        wrong = [problem] if problem else list(_object_problems(row))
        if wrong:
            problems += [f"line {line} {one}" for one in wrong]
        else:
            values = tuple(float(value) for value in row["value"])
            found.append(NamedSeries(row["name"], row.get("unit") or "", values))
    return found


def _object_problems(row: object) -> Iterable[str]:
    """Yield what is wrong with the value of a line."""
    if not isinstance(row, dict):
        yield "is no object; each line is one with name and value"
        return
    if not isinstance(row.get("name"), str):
        yield f"has the name {row['name']!r}, not a text" if "name" in row else "has no name"
    if not isinstance(row.get("unit"), str | None):
        yield f"has the unit {row['unit']!r}, not a text"
    if not isinstance(row.get("value"), list):
        yield "has no value, a list of numbers"
        return
    wrong = [
        f"value[{index}] = {value!r:.40}"
        for index, value in enumerate(row["value"])
        if not is_finite(value)
    ]
    if wrong:
        more = len(wrong) - _SHOWN_VALUES_MAX
        shown = ", ".join(wrong[:_SHOWN_VALUES_MAX]) + (f" and {more:,} more" if more > 0 else "")
        yield f"has values that are not finite numbers: {shown}; leave out what was not measured"


def is_finite(value: object) -> bool:
    """Return whether a value of JSON is a number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


def _of_table(
    rows: Iterable[tuple[int, Any, str]], name: str, problems: list[str]
) -> list[NamedSeries]:
    """Return the series of a CSV file; ``name`` is that of a file with one series."""
    table: list[tuple[int, dict[str, str]]] = []
    for line, row, problem in rows:
        if problem:
            problems.append(f"line {line} {problem}")
        else:
            table.append((line, row))
    if not table:
        return []
    if "value" in table[0][1]:
        return _of_rows(table, name, problems)
    return _of_columns(table, problems)


def _of_rows(
    table: list[tuple[int, dict[str, str]]], name: str, problems: list[str]
) -> list[NamedSeries]:
    """Return the series of a table with a value a row."""
    found: dict[str, list[float]] = {}
    units: dict[str, str] = {}
    for line, row in table:
        of = row.get("name", name)
        value = number_of(row["value"])
        if value is None:
            problems.append(_cell_problem(line, "value", row["value"]))
        else:
            found.setdefault(of, []).append(value)
            units.setdefault(of, row.get("unit", ""))
    return [NamedSeries(of, units[of], tuple(values)) for of, values in found.items()]


def _of_columns(table: list[tuple[int, dict[str, str]]], problems: list[str]) -> list[NamedSeries]:
    """Return the series of a table with a series a column."""
    found = []
    for column in table[0][1]:
        cells = [(line, row[column].strip()) for line, row in table]
        while cells and not cells[-1][1]:
            cells.pop()
        numbers = [number_of(cell) for _, cell in cells]
        kinds = Counter(number is not None for number in numbers)
        if not kinds[True]:
            continue
        if kinds[False]:
            problems += [
                _cell_problem(line, column, cell)
                for (line, cell), number in zip(cells, numbers, strict=True)
                if number is None
            ]
            continue
        values = tuple(number for number in numbers if number is not None)
        found.append(NamedSeries(column, "", values))
    return found


def number_of(cell: str) -> float | None:
    """Return the finite number in a cell, or None."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _cell_problem(line: int, column: str, cell: str) -> str:
    text = f"{cell!r:.40}, not a finite number" if cell else "nothing"
    return (
        f"line {line} has {text} in column {column!r}; leave out rows without a measurement, and "
        "columns that are no metric"
    )
