"""Commands that show a run measure its levels at most once, all together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis import measure as measuring
from perf_pipeline.analysis.level import measure_level
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from perf_pipeline.metrics.level_context import LevelContext
    from perf_pipeline.metrics.records.stored_level import StoredLevel
    from perf_pipeline.metrics.types.level import LevelMetrics
    from tests.unit.cli.conftest import Answer


def test_report_records_and_histograms_of_a_killed_run_measure_each_level_once(
    command: Callable[..., Answer], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever comes first stores what the others read."""
    measured: list[str] = []

    def counted(
        folder: Path, context: LevelContext, stored: StoredLevel | None = None
    ) -> LevelMetrics:
        measured.append(folder.name)
        return measure_level(folder, context, stored)

    monkeypatch.setattr(measuring, "measure_level", counted)
    run = write_run(here / "results", "20260114_093012-4f2c", status="killed", measured=False)
    for name in ("records", "report", "histograms", "report"):
        assert command(name, run.run_id, "--json").code == 0
    assert measured == ["00-10"]
