"""The records of a level that is a stage: its share of the files that all stages have in common.

The same workers play all stages, so the folder of the first stage, their ``home``, has journals,
resource samples and calibrations of all of them. A stage is from the begin of its ramp until the
begin of the next one. A workflow belongs to the stage in which it started. One that was still in
flight when the next stage began is among that stage's records as well, with the flag ``CARRIED``:
its times count there for as far as they lie in it, and it is counted once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from perf_pipeline.config.names import check_names
from perf_pipeline.samples.record import CARRIED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IS_CARRIED = (pl.col("flags") & CARRIED) != 0


def home_of(folder: Path, log: Mapping[str, Any]) -> Path:
    """Return the folder with the workers' files of a level.

    Args:
        folder: The level's.
        log: Its ``level.json``.

    Raises:
        RunFolderError: The home of a stage has no name of a level.
    """
    stage = log["plan"].get("stage")
    if not stage:
        return folder
    name = str(stage["home"])
    check_names(folder / "level.json", (("level name", name),))
    return folder.parent / name


def bounds_ns(log: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the begin and end of a stage, CLOCK_MONOTONIC; None for a level alone.

    The first stage begins with the cold starts; one after which none was begun has no end.
    """
    stage = log["plan"].get("stage")
    if not stage:
        return None
    begin_ns = log["go_ns"] if stage["number"] > 1 else 0
    until_ns = log.get("until_ns")
    return begin_ns, 2**63 - 1 if until_ns is None else until_ns


def of_stage(frame: pl.DataFrame, log: Mapping[str, Any]) -> pl.DataFrame:
    """Return the records of a level among those of its workers: all, unless it is a stage."""
    bounds = bounds_ns(log)
    if bounds is None:
        return frame
    begin_ns, end_ns = bounds
    start, end = pl.col("start_ns"), pl.col("end_ns")
    entered = (start < begin_ns) & (end >= begin_ns)
    flag = pl.lit(CARRIED, pl.UInt8)
    return frame.filter((start < end_ns) & ((start >= begin_ns) | entered)).with_columns(
        flags=pl.when(start < begin_ns).then(pl.col("flags") | flag).otherwise(pl.col("flags"))
    )
