"""Reads signals from a file: JSON lines, or CSV with a header."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.change_points.series_file import (
    is_finite,
    is_json_lines,
    number_of,
    read_rows,
    refuse,
)
from perf_pipeline.analysis.endurance.signal_series import SignalSeries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEEDED = ("seconds", "value")
_OPTIONAL = ("workflows",)


@dataclass
class _Samples:
    """A signal while it is read, with the line of each sample."""

    columns: dict[str, list[float]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    limit: float | None = None


def read_signals(file: Path) -> list[SignalSeries]:
    """Return the signals of a file, in its order.

    ``.jsonl``: one object a line with ``name``, ``seconds`` and ``value``, perhaps ``workflows``
    and ``limit``; other keys are ignored. ``seconds``, ``value`` and ``workflows`` are lists of
    one length, and the line is a whole signal; or they are numbers, and the line is one sample of
    the signal with its name. A line with ``values`` instead, as in ``signals.jsonl`` of an hour, is
    a sample of every signal that it names. ``.csv``: a row is a sample, with the same names as
    columns; without the column ``name`` all rows are one signal with the name of the file.

    Raises:
        SeriesFileError: It cannot be read, or a line of it is wrong; all problems at once.
    """
    problems: list[str] = []
    found: dict[tuple[str, int], _Samples] = {}
    for line, row, problem in read_rows(file):
        if problem:
            problems.append(f"line {line} {problem}")
            continue
        for given in _signals_of(row) if is_json_lines(file) else [_cells(row, file.stem)]:
            wrong = list(_row_problems(given))
            if wrong:
                problems += [f"line {line} {one}" for one in wrong]
                continue
            is_whole = isinstance(given["value"], list)
            samples = found.setdefault((given["name"], line if is_whole else 0), _Samples())
            _add(samples, given, line)
    for (name, _), samples in found.items():
        problems += _order_problems(name, samples)
    if not found and not problems:
        problems.append("has no signal")
    refuse(file, problems)
    return [_series(name, samples) for (name, _), samples in found.items()]


def _signals_of(row: Any) -> list[Any]:
    """Return an object a signal of a line; a line with ``values`` has many, of one moment."""
    if not isinstance(row, dict) or not isinstance(row.get("values"), dict):
        return [row]
    moment = {key: row[key] for key in ("seconds", "workflows") if key in row}
    return [{**moment, "name": name, "value": value} for name, value in row["values"].items()]


def _cells(row: dict[str, str], name: str) -> dict[str, Any]:
    """Return a row of a table as an object; what is no number stays the text that it is."""
    cells: dict[str, Any] = {"name": row.get("name", name)}
    for column in (*_NEEDED, *_OPTIONAL, "limit"):
        cell = row.get(column, "").strip()
        if cell:
            number = number_of(cell)
            cells[column] = cell if number is None else number
    return cells


def _row_problems(row: object) -> Iterator[str]:
    """Yield what is wrong with one object."""
    if not isinstance(row, dict):
        yield "is no object; each line is one with name, seconds and value"
        return
    if not isinstance(row.get("name"), str):
        yield f"has the name {row['name']!r}, not a text" if "name" in row else "has no name"
    if row.get("limit") is not None and not is_finite(row["limit"]):
        yield f"has the limit {row['limit']!r:.40}, not a finite number"
    lengths: dict[str, int | None] = {}
    for key in (*_NEEDED, *_OPTIONAL):
        value = row.get(key)
        if value is None:
            if key in _NEEDED:
                yield f"has no {key}, a list of numbers or a number"
            continue
        numbers = value if isinstance(value, list) else [value]
        wrong = next((at for at, one in enumerate(numbers) if not is_finite(one)), None)
        if wrong is not None:
            where = f"{key}[{wrong}]" if isinstance(value, list) else key
            yield (
                f"has {where} = {numbers[wrong]!r:.40}, not a finite number; leave out what was "
                "not measured"
            )
        lengths[key] = len(value) if isinstance(value, list) else None
    if len(set(lengths.values())) > 1:
        shown = ", ".join(
            f"{key} " + ("a number" if length is None else f"{length:,} values")
            for key, length in lengths.items()
        )
        yield f"has {shown}; they must be of one length"


def _add(samples: _Samples, row: dict[str, Any], line: int) -> None:
    for key in (*_NEEDED, *_OPTIONAL):
        value = row.get(key)
        if value is not None:
            numbers = value if isinstance(value, list) else [value]
            samples.columns.setdefault(key, []).extend(map(float, numbers))
    samples.lines += [line] * (len(samples.columns["value"]) - len(samples.lines))
    if row.get("limit") is not None:
        samples.limit = float(row["limit"])


def _order_problems(name: str, samples: _Samples) -> Iterator[str]:
    """Yield where time or the number of ended workflows goes back."""
    for key in ("seconds", "workflows"):
        values = samples.columns.get(key, [])
        if values and len(values) < len(samples.lines):
            yield (
                f"signal {name!r} has {len(values):,} {key} for {len(samples.lines):,} values; "
                "give them for every sample, or for none"
            )
        back = next((at for at, (a, b) in enumerate(pairwise(values)) if b < a), None)
        if back is not None:
            yield (
                f"line {samples.lines[back + 1]}: {key} of signal {name!r} go back from "
                f"{values[back]:g} to {values[back + 1]:g}; a restart begins a new signal"
            )


def _series(name: str, samples: _Samples) -> SignalSeries:
    workflows = samples.columns.get("workflows")
    return SignalSeries(
        name,
        tuple(samples.columns["seconds"]),
        tuple(samples.columns["value"]),
        None if workflows is None else tuple(workflows),
        samples.limit,
    )
