"""Parquet of a run: whole, or in a file a shard whose rows together are the run's."""

from pathlib import Path

import polars as pl
import pytest

from perf_pipeline.samples.shards.parquet_parts import write_parquet

FRAME = pl.DataFrame(
    {"worker": [0, 0, 1, 2, 3, 3, 4], "number": [0, 5, 1, 2, 3, 8, 4]},
    schema={"worker": pl.Int32(), "number": pl.Int64()},
)


def test_each_shard_has_the_rows_of_its_workers_and_all_of_them_are_the_run(
    tmp_path: Path,
) -> None:
    """Of two shards the first has the even workers."""
    path = tmp_path / "records.parquet"
    write_parquet(FRAME, path, 2)
    assert [one.name for one in sorted(path.iterdir())] == [
        "shard-000.parquet",
        "shard-001.parquet",
    ]
    numbers = [pl.read_parquet(one)["number"].to_list() for one in sorted(path.iterdir())]
    assert numbers == [[0, 5, 2, 4], [1, 3, 8]]
    assert pl.read_parquet(path).sort("worker", maintain_order=True).equals(FRAME)


def test_a_shard_that_left_nothing_has_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "records.parquet"
    write_parquet(FRAME.filter(pl.col("worker") % 3 != 1), path, 3)
    empty = pl.read_parquet(path / "shard-001.parquet")
    assert (empty.height, empty.schema) == (0, FRAME.schema)


@pytest.mark.parametrize("shards", [None, 3])
@pytest.mark.parametrize("before", [None, 2])
def test_what_was_there_is_replaced(tmp_path: Path, before: int | None, shards: int | None) -> None:
    """Also by the other form, and over what a killed process left."""
    path = tmp_path / "records.parquet"
    write_parquet(FRAME, path, before)
    (tmp_path / ".records.parquet.tmp").write_bytes(b"half")
    write_parquet(FRAME.head(3), path, shards)
    assert pl.read_parquet(path).height == 3
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
