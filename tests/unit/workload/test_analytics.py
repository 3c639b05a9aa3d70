from __future__ import annotations

import json
import statistics as textbook
from typing import Any

import pytest

from perf_pipeline.workload import analytics
from perf_pipeline.workload.dataset import bucket_rows
from perf_pipeline.workload.task import task_of


class Memory:
    """The servers as a list of buckets, a dictionary, a list of rows and one of documents."""

    def __init__(self, seed: int) -> None:
        self.buckets = bucket_rows(seed)
        self.keys: dict[str, str] = {}
        self.rows: list[dict[str, Any]] = []
        self.documents: list[dict[str, Any]] = []

    def query(self, bucket: int) -> list[dict[str, Any]]:
        return self.buckets[bucket]

    def cache(self, key: str, payload: str) -> bool:
        self.keys[key] = payload
        return True

    def store(self, row: dict[str, Any]) -> int:
        self.rows.append(row)
        return 1

    def insert(self, document: dict[str, Any]) -> bool:
        self.documents.append(document)
        return True


@pytest.mark.parametrize("bucket", range(0, 64, 7))
def test_statistics_are_those_of_the_textbook(bucket: int) -> None:
    rows = bucket_rows(5)[bucket]
    values = [int(row["value"]) for row in rows]
    found = analytics.statistics(rows)
    assert found["count"] == 100
    assert found["sum"] == sum(values)
    assert (found["minimum"], found["maximum"]) == (min(values), max(values))
    assert found["double_median"] / 2 == textbook.median(values)
    assert found["scaled_variance"] / 100**2 == pytest.approx(textbook.pvariance(values))
    assert found["categories"] == [
        {
            "category": category,
            "count": sum(row["category"] == category for row in rows),
            "sum": sum(int(row["value"]) for row in rows if row["category"] == category),
        }
        for category in sorted({str(row["category"]) for row in rows})
    ]


def test_the_median_of_an_odd_number_of_rows_is_the_middle_one() -> None:
    rows = [{"value": value, "category": "east"} for value in (9, 1, 5)]
    assert analytics.statistics(rows)["double_median"] == 10


@pytest.mark.parametrize(
    ("complexity", "without", "keys", "rows", "documents"),
    [
        ("simple", (), 0, 0, 0),
        ("medium", (), 1, 0, 0),
        ("complex", (), 1, 1, 1),
        ("complex", ("mongodb",), 1, 1, 0),
        ("complex", ("mysql",), 1, 1, 1),
    ],
)
def test_each_complexity_writes_what_it_lists_and_nothing_else(
    complexity: str, without: tuple[str, ...], keys: int, rows: int, documents: int
) -> None:
    task = task_of(41, seed=5, run_id="r", level=1, redis_prefix="pp:")
    memory = Memory(5)
    outputs = analytics.run_stages(complexity, task, memory, without)
    assert tuple(outputs) == analytics.stages(complexity, without)
    written = len(memory.keys), len(memory.rows), len(memory.documents)
    assert written == (keys, rows, documents)


def test_what_is_written_carries_run_level_and_number_and_the_statistics() -> None:
    memory = Memory(5)
    task = task_of(41, seed=5, run_id="r", level=1, redis_prefix="pp:")
    outputs = analytics.run_stages("complex", task, memory)
    payload = memory.keys["pp:1:41"]
    assert json.loads(payload) == outputs["statistics"]
    assert memory.rows == [{"run_id": "r", "level": 1, "number": 41, "payload": payload}]
    assert memory.documents == [
        {
            "_id": "r:1:41",
            "run_id": "r",
            "level": 1,
            "number": 41,
            "statistics": outputs["statistics"],
        }
    ]
