"""Writes what a run has of its workflows as Parquet: a file, or of a run in shards one a shard.

``records.parquet`` of a run in shards is a folder, ``records.parquet/shard-000.parquet`` and so on,
as Spark, Dask and Arrow write it: whoever reads the path reads all parts, and one shard can be read
alone.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.samples.run_file import new_file

if TYPE_CHECKING:
    from pathlib import Path

_SHARD = "shard"


def write_parquet(frame: pl.DataFrame, path: Path, shards: int | None = None) -> None:
    """Write a frame, in the place of what was there; under its name it is never seen in part.

    Args:
        frame: What to write; has ``worker``, the index of a worker process of the whole run.
        path: The file; of a run in shards the folder.
        shards: How many the run has; None for a run of one host. Each has a file, empty where it
            left nothing.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    _remove(temporary)
    if shards is None:
        _write(frame, temporary)
    else:
        temporary.mkdir()
        for index, part in enumerate(_parts(frame, shards)):
            _write(part, temporary / f"shard-{index:03d}.parquet")
    if path.is_dir() or temporary.is_dir():  # a folder replaces nothing but an empty folder
        _remove(path)
    temporary.replace(path)


def _parts(frame: pl.DataFrame, shards: int) -> list[pl.DataFrame]:
    """Return the rows of each shard: every ``shards``-th worker, in the order of the frame."""
    owner = (pl.col("worker") % shards).alias(_SHARD)
    found = frame.with_columns(owner).partition_by(
        _SHARD, include_key=False, maintain_order=True, as_dict=True
    )
    return [found.get((index,), frame.clear()) for index in range(shards)]


def _write(frame: pl.DataFrame, path: Path) -> None:
    with new_file(path) as file:
        frame.write_parquet(file)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
