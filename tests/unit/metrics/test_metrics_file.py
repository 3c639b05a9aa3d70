"""What is stored of a run is read back as it was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.metrics_file import (
    read_level_metrics,
    read_metrics,
    write_level_metrics,
    write_run_metrics,
)
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.samples.run_folder import RunFolder
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@pytest.fixture(autouse=True, scope="module")
def _values_that_json_can_hold() -> None:
    st.register_type_strategy(float, FINITE)
    st.register_type_strategy(str, TEXT)
    st.register_type_strategy(tuple, _short)


def _short(kind: type[tuple[object, ...]]) -> SearchStrategy[tuple[object, ...]]:
    """Return tuples of a type; of any length: up to two, as those of tuples of tuples explode."""
    items = get_args(kind)
    if items[1:] == (Ellipsis,):
        return st.lists(st.from_type(items[0]), max_size=2).map(tuple)
    return st.tuples(*map(st.from_type, items))


def _of(kind: type[object]) -> SearchStrategy[object]:
    return st.deferred(lambda: st.from_type(kind))


@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.generate,),  # what is found is too large to be made smaller
    suppress_health_check=list(HealthCheck),
)
@given(level=_of(LevelMetrics))
def test_any_level_is_read_back_equal(level: LevelMetrics) -> None:
    """Every field of every noun below it, drawn from its type."""
    with TemporaryDirectory() as name:
        write_level_metrics(Path(name), level)
        assert read_level_metrics(Path(name)) == level


def test_a_measured_run_is_read_back_equal(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1", measured=True)
    metrics = read_metrics(folder)
    again = RunFolder(tmp_path / "r-2")
    again.root.mkdir()
    write_run_metrics(again, metrics)
    assert read_metrics(again) == metrics
    assert isinstance(metrics, RunMetrics)
    assert json.loads(again.metrics.read_text()) == json.loads(folder.metrics.read_text())


def test_a_file_of_another_shape_is_refused_with_the_place(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1", measured=True)
    write_run_metrics(folder, replace(read_metrics(folder), validity="fine"))  # type: ignore[arg-type]
    with pytest.raises(RunFolderError, match=r"metrics\.json is not what this version .*validity"):
        read_metrics(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema_version": 0}', "\0"])
def test_a_file_that_is_none_of_ours_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    folder = RunFolder(tmp_path)
    folder.metrics.write_text(content)
    with pytest.raises(RunFolderError, match=r"metrics\.json "):
        read_metrics(folder)


def test_metrics_that_were_never_written_are_missing(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"metrics\.json is missing"):
        read_metrics(RunFolder(tmp_path))
    assert read_level_metrics(tmp_path) is None
