"""What a run will play can be read by whoever watches it, as soon as it has planned it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.samples.planned_levels import (
    PlannedLevel,
    read_planned_levels,
    write_planned_levels,
)
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path


def test_the_levels_are_read_back_as_they_were_planned(tmp_path: Path) -> None:
    """And there are none before."""
    folder = RunFolder(tmp_path)
    assert read_planned_levels(folder) == ()
    levels = (
        PlannedLevel("10", "calm", 10, "closed", Phases(steady_s=3)),
        PlannedLevel("rush", "", 400, "open", Phases()),
    )
    write_planned_levels(folder, levels)
    assert read_planned_levels(folder) == levels
    assert [level.shown for level in levels] == ["10 (calm)", "rush"]
