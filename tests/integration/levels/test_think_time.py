"""Users who think, in real worker processes: the interactive response time law holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.level import measure_level
from perf_pipeline.config.think_time import ThinkTime
from perf_pipeline.metrics.level_context import LevelContext
from tests.integration.levels.level_process import KIND, PHASES, level_in, plan_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("target", ["control", "control_async"])
def test_users_are_in_flight_or_thinking(tmp_path: Path, target: str) -> None:
    """40 users think 0.25 s: X (R + Z) = 40, each side measured; they are no fault of anybody's.

    At most 40 / 0.25 workflows a second can end. The median in flight is far below 95 % of 40.
    """
    phases = replace(PHASES, warm_up_s=0.5, steady_s=3.0, drain_s=5.0)
    plan = replace(plan_of(slots=40, phases=phases, target=target), think_time=ThinkTime(0.25))

    level_in(tmp_path, plan).run()
    level = measure_level(tmp_path, LevelContext([KIND], [], {}))

    thinking, times = level.thinking, level.service_times
    assert thinking is not None
    assert thinking.avg_s is not None
    assert times.avg_s is not None
    assert level.throughput_per_s is not None
    assert level.outcomes["error"] == 0
    assert thinking.users == 40
    assert thinking.avg_s == pytest.approx(0.25, rel=0.3)
    assert level.throughput_per_s * (times.avg_s + thinking.avg_s) == pytest.approx(40, rel=0.15)
    assert level.throughput_per_s <= 1.15 * 40 / 0.25
    assert "in flight was" not in " ".join(level.reasons)
    assert level.bottleneck is not None
    assert level.bottleneck.verdict != "generator"
