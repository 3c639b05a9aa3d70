"""The CSV files that data-processing workflows read: one for each of a run's inputs.

A file is a pure function of its data seed, like the rows of ``dataset``, and some of its rows are
bad, each in one way. As there, only ``random.Random.random`` is used.
"""

from __future__ import annotations

import csv
import os
import random
from pathlib import Path

from perf_pipeline.workload.dataset import CATEGORIES

COLUMNS = ("id", "category", "value")
ROWS = 50
VALUE_LIMIT = 10_000
"""Values of good rows are 0 to 9999."""

DEFECTS = ("missing", "not_a_number", "out_of_range", "unknown_category", "duplicate")
"""What can be wrong with a row; each bad row has one of them."""

_BAD_SHARE = 0.12


def file_rows(data_seed: int) -> list[list[str]]:
    """Draw the fields of a file's rows, without the header.

    The first row is good and the last is bad, so that every file has rows of both kinds.

    Args:
        data_seed: Seed of the file; the same seed gives the same rows on every host.

    Returns:
        ``ROWS`` rows of three fields in the order of ``COLUMNS``; one with the defect
        ``missing`` has two fields only, or an empty third.
    """
    rng = random.Random(f"file {data_seed}")
    rows: list[list[str]] = []
    for position in range(ROWS):
        category = CATEGORIES[int(rng.random() * len(CATEGORIES))]
        row = [str(position), category, str(int(rng.random() * VALUE_LIMIT))]
        bad = rng.random() < _BAD_SHARE or position == ROWS - 1
        defect = DEFECTS[int(rng.random() * len(DEFECTS))]
        rows.append(_spoiled(row, defect, rng.random()) if bad and position > 0 else row)
    return rows


def _spoiled(row: list[str], defect: str, draw: float) -> list[str]:
    """Give a good row a defect; ``draw`` is random in [0, 1)."""
    number, category, value = row
    if defect == "missing":
        return [number, category] if draw < 0.5 else [number, category, ""]  # noqa: PLR2004
    if defect == "not_a_number":
        return [number, category, f"{value} EUR"]
    if defect == "out_of_range":
        return [number, category, f"-{int(value) + 1}"]
    if defect == "unknown_category":
        return [number, f"{category}-{category}", value]
    return [str(int(int(number) * draw)), category, value]


def file_path(folder: str, data_seed: int) -> str:
    """Return where the file of a data seed lies in a folder."""
    return f"{folder}/input_{data_seed}.csv"


def write_file(folder: str, data_seed: int) -> None:
    """Write the file of a data seed unless it is there; it appears whole or not at all.

    Any number of processes may do so at once.
    """
    path = Path(file_path(folder, data_seed))
    if path.exists():
        return
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.csv")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(file_rows(data_seed))
    temporary.replace(path)
