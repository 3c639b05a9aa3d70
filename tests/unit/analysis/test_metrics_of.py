"""A level is measured once; whoever needs its metrics later reads what was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis import measure as measuring
from perf_pipeline.analysis.level import measure_level
from perf_pipeline.analysis.measure import measure
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.samples.run_folder import RunFolder, write_json
from perf_pipeline.samples.run_record import COMPLETE, INTERRUPTED
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.level_context import LevelContext
    from perf_pipeline.metrics.records.stored_level import StoredLevel
    from perf_pipeline.metrics.types.level import LevelMetrics


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The levels that have been measured, each time by name."""
    names: list[str] = []

    def counted(
        folder: Path, context: LevelContext, stored: StoredLevel | None = None
    ) -> LevelMetrics:
        names.append(folder.name)
        return measure_level(folder, context, stored)

    monkeypatch.setattr(measuring, "measure_level", counted)
    return names


def test_stored_metrics_are_read_and_no_level_is_measured_again(
    tmp_path: Path, measured: list[str]
) -> None:
    folder = write_run(tmp_path, "r-1", measured=False)
    first = measure(folder)
    assert metrics_of(folder) == read_metrics(folder)
    assert metrics_of(folder).levels == first.levels
    assert measured == ["00-10"]


def test_a_run_that_was_never_measured_is_measured_once_by_whoever_needs_it(
    tmp_path: Path, measured: list[str]
) -> None:
    """As of a killed run."""
    folder = write_run(tmp_path, "r-1", measured=False)
    assert metrics_of(folder).levels == metrics_of(folder).levels
    assert measured == ["00-10"]
    assert folder.metrics.exists()


def test_a_run_that_goes_on_is_measured_each_time_and_nothing_is_stored(
    tmp_path: Path, measured: list[str]
) -> None:
    folder = write_run(tmp_path, "r-1", status=None, measured=False)
    assert metrics_of(folder).status == metrics_of(folder).status == "running"
    assert measured == ["00-10", "00-10"]
    assert not folder.metrics.exists()


def test_metrics_of_before_the_run_ended_are_measured_anew(
    tmp_path: Path, measured: list[str]
) -> None:
    folder = write_run(tmp_path, "r-1", status=INTERRUPTED, measured=True)
    folder.end(COMPLETE)
    assert metrics_of(folder).status == COMPLETE
    assert measured == ["00-10", "00-10"]
    assert read_metrics(folder).status == COMPLETE


def test_damaged_metrics_are_refused_and_not_measured_again(
    tmp_path: Path, measured: list[str]
) -> None:
    folder = write_run(tmp_path, "r-1", measured=False)
    write_json(RunFolder(folder.root).metrics, {"schema_version": 1})
    with pytest.raises(Exception, match="not what this version writes"):
        metrics_of(folder)
    assert measured == []
