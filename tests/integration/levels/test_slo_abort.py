"""A real level ends for its SLO, keeps what it measured, and is judged from its records."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.level import measure_level
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.loadgen.course import stopped_at
from perf_pipeline.metrics.level_context import LevelContext
from tests.integration.levels.level_process import KIND, PHASES, level_in, plan_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

LONG = replace(PHASES, steady_s=30.0, steady_max_s=30.0)


def test_a_level_ends_for_a_missed_objective_and_keeps_what_it_measured(tmp_path: Path) -> None:
    """No workflow is done in a microsecond: the 30 s end after the 1 s of grace."""
    kept = Slo("max_s", 20.0, abort=True, grace_s=0.0)
    missed = Slo("p99_s", 1e-6, window_s=1.0, abort=True, grace_s=1.0)
    plan = plan_of(2, LONG, slos=(kept, missed))
    log = level_in(tmp_path, plan).run()

    assert log.ended_because == "slo_aborted"
    assert log.ended_detail.startswith("p99_s <= 1e-06 over 1 s: ")
    start_ns, end_ns = log.phases_ns["steady"]
    assert end_ns is not None
    assert 1.0 <= (end_ns - start_ns) / 1e9 < 5
    stopped = stopped_at(plan, log, [plan, replace(plan, index=1, label="4")])
    assert stopped is not None
    assert (stopped.because, stopped.not_run) == ("slo_aborted", ("4",))
    level = measure_level(tmp_path, LevelContext([KIND], [], {}, slos=[kept, missed]))
    assert level.service_times.samples > 100
    assert [(one.slo, one.verdict) for one in level.slos] == [
        (kept, "met" if level.validity == "valid" else "no_data"),
        (missed, "missed"),
    ]


def test_a_level_that_keeps_its_objectives_runs_to_its_end(tmp_path: Path) -> None:
    kept = (
        Slo("max_s", 20.0, abort=True, grace_s=0.0),
        Slo("error_ratio", 0.0, abort=True, grace_s=0.0),
        Slo("throughput_per_s", 1.0, at_most=False, window_s=1.0, abort=True, grace_s=0.0),
    )
    assert level_in(tmp_path, plan_of(2, slos=kept)).run().ended_because == "complete"
