"""A workflow is counted in the stage in which it started, and timed in each in which it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.samples.record import CARRIED
from perf_pipeline.samples.stages.stage_records import home_of, of_stage

if TYPE_CHECKING:
    from pathlib import Path


def _log(number: int, go_ns: int, until_ns: int | None, home: str = "00-low") -> dict[str, Any]:
    stage = {"number": number, "home": home}
    return {"plan": {"stage": stage}, "go_ns": go_ns, "until_ns": until_ns}


def _frame(*lives: tuple[int, int]) -> pl.DataFrame:
    starts, ends = zip(*lives, strict=True)
    schema = {"start_ns": pl.Int64, "end_ns": pl.Int64, "flags": pl.UInt8}
    return pl.DataFrame({"start_ns": starts, "end_ns": ends, "flags": 0}, schema=schema)


def test_every_record_is_counted_in_one_stage_and_timed_in_all_that_it_crosses() -> None:
    frame = _frame((1, 5), (8, 12), (9, 31), (11, 15), (20, 21), (31, 32))
    logs = [_log(1, 2, 10), _log(2, 10, 20), _log(3, 20, None)]

    found = [of_stage(frame, log) for log in logs]
    counted = [one.filter(pl.col("flags") == 0)["start_ns"].to_list() for one in found]
    carried = [one.filter(pl.col("flags") == CARRIED)["start_ns"].to_list() for one in found]
    assert counted == [[1, 8, 9], [11], [20, 31]]
    assert carried == [[], [8, 9], [9]]


def test_a_level_alone_has_all_records_in_its_own_folder(tmp_path: Path) -> None:
    log = {"plan": {"stage": None}, "go_ns": 10}
    assert of_stage(_frame((1, 5)), log).height == 1
    assert home_of(tmp_path, log) == tmp_path


def test_the_home_of_a_stage_is_beside_it_and_nowhere_else(tmp_path: Path) -> None:
    assert home_of(tmp_path / "01-high", _log(2, 1, 2)) == tmp_path / "00-low"
    with pytest.raises(PerfPipelineError):
        home_of(tmp_path / "01-high", _log(2, 1, 2, home="../../other"))
