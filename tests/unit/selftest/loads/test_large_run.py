"""A copy of a run with other records is read back as one that a worker has written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.measure import measure
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.selftest.loads.large_run import LENGTH_S, large_run
from tests.simulated_run import SLOTS, write_run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_large_run_has_the_records_that_were_asked_for_and_lost_none(tmp_path: Path) -> None:
    """5,000 records of 10 slots that are busy for 60 s: 83 a second, 10 in flight."""
    played = write_run(tmp_path, "20260114_093012-4f2c")

    made = large_run(played, tmp_path / "20260114_093013-4f2c", 5_000, seed=1)

    (folder,) = made.level_folders()
    records = read_level(folder, 1)
    assert records.frame.height == 5_000
    assert records.frame["number"].n_unique() == 5_000
    assert not records.recovered
    assert not made.metrics.exists()
    (level,) = measure(made).levels
    assert level.in_flight.median == SLOTS
    assert level.throughput_per_s is not None
    assert abs(level.throughput_per_s - 5_000 / LENGTH_S) < 1
