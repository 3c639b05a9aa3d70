from __future__ import annotations

import hashlib
from itertools import groupby

import pytest

from perf_pipeline.workload.dataset import (
    BUCKETS,
    CATEGORIES,
    MEASUREMENT_COLUMNS,
    ROWS_PER_BUCKET,
    bucket_rows,
    ddl,
    insert_sql,
    measurement_rows,
    mysql_ddl,
    mysql_insert_sql,
    results_name,
)

RESULT_COLUMNS = ("run_id", "level", "number", "payload")


def test_the_same_seed_gives_the_same_rows_on_every_python() -> None:
    """The digest was taken with Python 3.11.7; harness and target may run other versions."""
    digest = hashlib.sha256(repr(list(measurement_rows(1))).encode()).hexdigest()
    assert digest == "f2914dd384bbf08fe7db9ffdcb27a64bd41e43f8520f26da276d092172715ae4"


def test_another_seed_gives_other_rows() -> None:
    differing = sum(
        one != other for one, other in zip(measurement_rows(1), measurement_rows(2), strict=True)
    )
    assert differing > 0.99 * BUCKETS * ROWS_PER_BUCKET


def test_every_bucket_holds_its_rows_numbered_in_order() -> None:
    by_bucket = {
        bucket: list(rows) for bucket, rows in groupby(measurement_rows(7), key=lambda row: row[0])
    }
    assert list(by_bucket) == list(range(64))
    for rows in by_bucket.values():
        assert [position for _, position, _, _ in rows] == list(range(100))
        assert all(0 <= value < 10_000 for _, _, value, _ in rows)
        assert {category for *_, category in rows} == set(CATEGORIES)


def test_what_a_query_must_return_is_the_bucket_in_order_of_position() -> None:
    rows = list(measurement_rows(7))
    wanted = [{"value": row[2], "category": row[3]} for row in rows if row[0] == 63]
    assert bucket_rows(7)[63] == wanted


def test_the_tables_have_the_columns_that_are_copied_and_counted() -> None:
    measurements, results = ddl("run_4f2c")
    assert all(f"{column} " in measurements for column in MEASUREMENT_COLUMNS)
    assert all(f"{column} " in results for column in RESULT_COLUMNS)
    assert '"run_4f2c".measurements' in measurements
    assert '"run_4f2c".results' in results


def test_mysql_has_the_same_table_of_results_under_the_runs_own_name() -> None:
    (results,) = mysql_ddl(results_name("run_4f2c"))
    assert all(f"{column} " in results for column in RESULT_COLUMNS)
    assert "CREATE TABLE `run_4f2c_results`" in results
    assert f"PRIMARY KEY ({', '.join(RESULT_COLUMNS[:3])})" in results


def test_an_insertion_names_the_runs_table_and_every_column() -> None:
    columns = ", ".join(RESULT_COLUMNS)
    values = ", ".join(f":{column}" for column in RESULT_COLUMNS)
    end = f" ({columns}) VALUES ({values})"
    assert insert_sql("run_1") == f'INSERT INTO "run_1".results{end}'
    assert mysql_insert_sql("run_1_results") == f"INSERT INTO `run_1_results`{end}"


@pytest.mark.parametrize("name", ["", 'a"b', "a; DROP", "A", "1a", "a" * 64, "pg-1", "é"])
def test_a_schema_name_that_would_need_quoting_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="schema name"):
        ddl(name)
    with pytest.raises(ValueError, match="schema name"):
        insert_sql(name)
    with pytest.raises(ValueError, match="table name"):
        mysql_ddl(name)
    with pytest.raises(ValueError, match="table name"):
        mysql_insert_sql(name)


def test_a_prefix_whose_table_name_would_be_cut_is_refused() -> None:
    assert len(results_name("a" * 55)) == 63
    with pytest.raises(ValueError, match="not 1 to 63 characters"):
        results_name("a" * 56)
