from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.workload import data_processing
from perf_pipeline.workload.dataset import BUCKETS
from perf_pipeline.workload.input_file import DEFECTS, file_rows, write_file
from perf_pipeline.workload.task import Task, data_seed_of, task_of
from perf_pipeline.workload.transformation import WEIGHTS

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]


class Memory:
    """Both servers of the family."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {"postgres": [], "mysql": []}

    def store(self, row: Row) -> int:
        self.rows["postgres"].append(row)
        return 1

    def store_mysql(self, row: Row) -> int:
        self.rows["mysql"].append(row)
        return 1


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """A workflow whose file is there."""
    for bucket in range(BUCKETS):
        write_file(str(tmp_path), data_seed_of(5, bucket))
    return task_of(41, seed=5, run_id="r", level=1, redis_prefix="", files_dir=str(tmp_path))


def test_reading_gives_texts_by_column_and_a_short_row_lacks_its_last(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('id,category,value\n1,"north, upper",7\n2,east\n')
    assert data_processing.read(str(path)) == [
        {"id": "1", "category": "north, upper", "value": "7"},
        {"id": "2", "category": "east"},
    ]


@pytest.mark.parametrize(
    ("row", "defect"),
    [
        ({"id": "2", "category": "east"}, "missing"),
        ({"id": "2", "category": "east", "value": ""}, "missing"),
        ({"id": "2", "category": "east", "value": "1.5"}, "not_a_number"),
        ({"id": "2", "category": "east", "value": "--1"}, "not_a_number"),
        ({"id": "2", "category": "east", "value": "-1"}, "out_of_range"),
        ({"id": "2", "category": "east", "value": "10000"}, "out_of_range"),
        ({"id": "2", "category": "east ", "value": "1"}, "unknown_category"),
        ({"id": "1", "category": "east", "value": "1"}, "duplicate"),
        ({"id": "1", "category": "nowhere", "value": "1"}, "unknown_category"),
    ],
)
def test_a_bad_row_is_counted_once_under_its_first_defect(row: Row, defect: str) -> None:
    good = {"id": "1", "category": "west", "value": "9999"}
    found = data_processing.validate([good, row])
    assert found["rows"] == [good]
    assert found["bad_rows"] == 1
    assert found["bad"] == {**dict.fromkeys(DEFECTS, 0), defect: 1}


def test_a_row_with_the_number_of_a_bad_row_is_a_duplicate_too() -> None:
    rows = [
        {"id": "1", "category": "west", "value": ""},
        {"id": "1", "category": "west", "value": "5"},
    ]
    assert data_processing.validate(rows)["bad"]["duplicate"] == 1


def test_good_and_bad_rows_of_every_file_are_all_its_rows() -> None:
    for bucket in range(BUCKETS):
        read = [
            dict(zip(("id", "category", "value"), fields, strict=False))
            for fields in file_rows(data_seed_of(5, bucket))
        ]
        found = data_processing.validate(read)
        assert len(found["rows"]) + found["bad_rows"] == 50
        assert sum(found["bad"].values()) == found["bad_rows"] > 0


def test_transformation_makes_numbers_and_weights_them() -> None:
    rows = [{"id": "07", "category": "south", "value": "12"}]
    assert data_processing.transform(rows) == [
        {"id": 7, "category": "south", "value": 12, "score": 12 * WEIGHTS["south"]}
    ]


@pytest.mark.parametrize(
    ("complexity", "without", "nodes", "postgres", "mysql"),
    [
        ("simple", (), 3, 0, 0),
        ("medium", (), 4, 0, 0),
        ("complex", (), 7, 1, 1),
        ("complex", ("mysql",), 6, 1, 0),
        ("complex", ("mongodb",), 7, 1, 1),
    ],
)
def test_each_complexity_writes_what_it_lists_and_nothing_else(
    task: Task, complexity: str, without: tuple[str, ...], nodes: int, postgres: int, mysql: int
) -> None:
    memory = Memory()
    outputs = data_processing.run_stages(complexity, task, memory, without)
    assert tuple(outputs) == data_processing.stages(complexity, without)
    assert len(outputs) == nodes
    assert (len(memory.rows["postgres"]), len(memory.rows["mysql"])) == (postgres, mysql)


def test_what_is_stored_carries_run_level_and_number_the_rows_and_what_was_bad(
    task: Task,
) -> None:
    memory = Memory()
    outputs = data_processing.run_stages("complex", task, memory)
    (row,) = memory.rows["postgres"]
    assert memory.rows["mysql"] == [row]
    assert row.items() >= {"run_id": "r", "level": 1, "number": 41}.items()
    assert json.loads(row["payload"]) == {
        "rows": outputs["transform"],
        "statistics": outputs["statistics"],
        "bad": outputs["validate"]["bad"],
    }
    assert outputs["statistics"]["count"] == len(outputs["validate"]["rows"])
