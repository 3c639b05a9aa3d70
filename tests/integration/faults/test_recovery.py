"""A target that really freezes for a second under arrivals: what a report says of it is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.selftest.known.freezing import SHORT
from perf_pipeline.selftest.loads.only_level import open_level
from perf_pipeline.selftest.loads.played_level import PHASES
from tests.planted_recovery import log_fault

if TYPE_CHECKING:
    from pathlib import Path

RATE_PER_S = 80.0
LENGTH_S = 24.0
"""500 workflows before the freeze, 1 s of it, and 17 s after it for a hold of 10."""


@pytest.mark.integration
@pytest.mark.slow
def test_a_freeze_of_a_second_is_a_second_of_lost_service_and_recovered_at_once(
    tmp_path: Path,
) -> None:
    """10 slots serve what piled up, 80 workflows of 1 ms, within 10 ms."""
    arrivals = Arrivals("freeze", "constant", RATE_PER_S, LENGTH_S, 100)
    level = open_level(
        "perf_pipeline.selftest.known.freezing:short", arrivals, PHASES, 1, "callable"
    )
    level.play(tmp_path)
    frame = level.records(tmp_path).frame
    begins_ns = int(frame.filter(pl.col("number") == SHORT.number)["start_ns"].item())
    begins_s = (begins_ns - read_json(tmp_path / "level.json")["go_ns"]) / 1e9

    log_fault(tmp_path, begins_s, SHORT.length_s)
    found = level.metrics(tmp_path).recovery
    log_fault(tmp_path, begins_s, SHORT.length_s, acts=False)
    sham = level.metrics(tmp_path).recovery

    assert found is not None
    (fault,) = found.faults
    assert fault.verdict == "recovered", fault.why
    assert fault.time_to_recover_s is not None
    assert fault.time_to_recover_s.value < 0.25
    assert fault.lost_service_s is not None
    assert fault.lost_service_s.value == pytest.approx(SHORT.length_s, rel=0.05)
    assert fault.harm is not None
    assert set(fault.harm.by_class) == {"slow"}
    assert sham is not None
    assert sham.faults[0].verdict == "invalid"
