"""Steps of levels are one table, whichever of the levels recorded some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.steps.level_steps import STEP_SCHEMA, level_steps, read_level_steps

if TYPE_CHECKING:
    from pathlib import Path


def test_a_level_without_steps_has_the_columns_of_one_with_steps(tmp_path: Path) -> None:
    """A runtime whose nodes are timed and the control target are levels of one run."""
    assert level_steps(read_level_steps(tmp_path), 0).schema == STEP_SCHEMA
