"""A run that has ended, as Python code reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from perf_pipeline import RunFolderError, current_settings, open_run
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

RUN_ID = "20241201_120000-4f2c"


def test_records_are_a_frame_of_texts_with_a_row_for_every_workflow(tmp_path: Path) -> None:
    """10 slots of 0.1 s each: the steady phase from 2 to 10 s holds 800 of them."""
    write_run(tmp_path, RUN_ID)
    run = open_run(RUN_ID, replace(current_settings(), results_dir=tmp_path))
    records = run.records()
    (level,) = run.levels
    assert len(records) == sum(level.outcomes.values())
    assert set(records["level"]) == {level.label}
    counted = records.group_by("outcome").len().rows()
    assert dict(counted) == {name: n for name, n in level.outcomes.items() if n}
    assert set(records["workload"]) <= {
        f"{one.family}/{one.complexity}" for one in run.metrics.manifest.workloads
    }
    times = records.filter(~pl.col("is_cold")).select(pl.col("end_ns") - pl.col("start_ns"))
    assert times.to_series().median() == pytest.approx(100_000_000, rel=0.01)


def test_the_newest_run_is_opened_with_its_report(tmp_path: Path) -> None:
    write_run(tmp_path, "20241201_110000-4f2c")
    write_run(tmp_path, RUN_ID)
    run = open_run(settings=replace(current_settings(), results_dir=tmp_path))
    assert run.run_id == run.folder.name == RUN_ID
    assert run.validity == run.metrics.validity
    assert run.report.html.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_run_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path: Path) -> None:
    write_run(tmp_path, RUN_ID)
    with pytest.raises(RunFolderError, match=RUN_ID):
        open_run("none", replace(current_settings(), results_dir=tmp_path))
