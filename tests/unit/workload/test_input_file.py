from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path
from threading import Event, Thread

import pytest

from perf_pipeline.workload.dataset import CATEGORIES
from perf_pipeline.workload.input_file import COLUMNS, DEFECTS, file_path, file_rows, write_file

SEEDS = range(300)


def defects(rows: list[list[str]]) -> list[str]:
    """What is wrong with each row, found by another way than the family's: all that is wrong."""
    ids = [row[0] for row in rows]
    found = []
    for position, row in enumerate(rows):
        value = row[2] if len(row) > 2 else ""
        wrong = []
        if value == "":
            wrong.append("missing")
        elif not all(character in "-0123456789" for character in value):
            wrong.append("not_a_number")
        elif int(value) not in range(10_000):
            wrong.append("out_of_range")
        if row[1] not in CATEGORIES:
            wrong.append("unknown_category")
        if row[0] in ids[:position]:
            wrong.append("duplicate")
        found.append(" ".join(wrong))
    return found


def test_the_same_seed_gives_the_same_file_on_every_python() -> None:
    """The digest was taken with Python 3.11.7; harness and target may run other versions."""
    digest = hashlib.sha256(repr([file_rows(seed) for seed in range(64)]).encode()).hexdigest()
    assert digest == "981e2d889b44eedc44a7eac9b36875b17bc5d6899d1599cd2ec0f194067d3b5a"


def test_every_bad_row_has_one_defect_and_every_file_has_good_and_bad_rows() -> None:
    for seed in SEEDS:
        found = defects(file_rows(seed))
        assert set(found) <= {"", *DEFECTS}
        assert found[0] == ""
        assert found[-1] != ""


def test_about_an_eighth_of_the_rows_is_bad_and_no_defect_is_rare() -> None:
    """12 % of 49 rows and the last: 6.8 of 50; each of the five defects is a fifth of them."""
    found = Counter(defect for seed in SEEDS for defect in defects(file_rows(seed)))
    bad = sum(found[defect] for defect in DEFECTS)
    assert 0.125 < bad / sum(found.values()) < 0.147
    assert all(0.17 < found[defect] / bad < 0.23 for defect in DEFECTS)


def test_a_missing_value_is_an_empty_field_or_none_at_all() -> None:
    lengths = {
        len(row)
        for seed in SEEDS
        for row, defect in zip(file_rows(seed), defects(file_rows(seed)), strict=True)
        if defect == "missing"
    }
    assert lengths == {2, 3}


def test_the_file_holds_the_header_and_the_rows(tmp_path: Path) -> None:
    write_file(str(tmp_path), 7)
    with Path(file_path(str(tmp_path), 7)).open(newline="") as file:
        assert list(csv.reader(file)) == [list(COLUMNS), *file_rows(7)]
    assert [path.name for path in tmp_path.iterdir()] == ["input_7.csv"]


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    path = Path(file_path(str(tmp_path), 7))
    path.write_text("damaged")
    write_file(str(tmp_path), 7)
    assert path.read_text() == "damaged"


def test_a_file_without_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_file(str(tmp_path / "none"), 7)


def test_whoever_sees_the_file_sees_it_whole(tmp_path: Path) -> None:
    """A reader looks all the time while 200 files are written."""
    seen: set[int] = set()
    done = Event()

    def look() -> None:
        while not done.is_set():
            for path in tmp_path.iterdir():
                if path.stem.removeprefix("input_").isdecimal():
                    seen.add(len(path.read_text().splitlines()))

    reader = Thread(target=look)
    reader.start()
    for seed in range(200):
        write_file(str(tmp_path), seed)
    done.set()
    reader.join()
    assert seen == {51}
