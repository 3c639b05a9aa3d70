"""A resource that ran out limits a level, unless hardly anything or everything failed for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.bottleneck.exhaustion import exhaustion_of
from perf_pipeline.metrics.types.exhaustion import Exhaustion

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics

PORTS = Exhaustion("local ports", 97, 1000.0, 1000.0, "range = 40000 40999", "reuse connections")


def _failing(level: LevelMetrics, ok: int, errors: int) -> LevelMetrics:
    counts = {"ok": ok, "error": errors, "timeout": 0, "dropped": 0, "abandoned": 0}
    classes = {"resource_exhaustion": errors}
    return replace(
        level,
        outcomes=counts,
        steady_outcomes=counts,
        error_classes=classes,
        steady_error_classes=classes,
        exhausted=(PORTS,),
    )


@pytest.mark.parametrize(("ok", "errors", "named"), [(91, 9, False), (90, 10, True), (3, 97, True)])
def test_a_tenth_of_the_workflows_is_enough(
    valid_level: LevelMetrics,
    ok: int,
    errors: int,
    named: bool,  # noqa: FBT001
) -> None:
    found = exhaustion_of(_failing(valid_level, ok, errors))

    assert (found is not None) is named
    if found:
        assert found.verdict == "resource_exhaustion"
        assert "local ports ran out: 1,000 of 1,000 in use at most (range =" in found.why
        assert found.evidence[0].cause == "ran out: local ports"


def test_where_nothing_succeeded_no_bottleneck_is_named(valid_level: LevelMetrics) -> None:
    assert exhaustion_of(_failing(valid_level, 0, 100)) is None


def test_a_level_in_which_nothing_ran_out_has_another_bottleneck(valid_level: LevelMetrics) -> None:
    assert exhaustion_of(replace(_failing(valid_level, 50, 50), exhausted=())) is None
