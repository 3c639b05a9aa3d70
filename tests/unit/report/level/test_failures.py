"""What failed stands on top when more than a few workflows did, the most frequent class first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.level.failures import failures, has_many_failures

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics


@pytest.mark.parametrize(
    ("ok", "failed", "many"),
    [
        (1000, 0, False),
        (0, 0, False),
        (1000, 9, False),
        (1_000_000, 10, True),
        (100, 1, False),
        (98, 1, True),
        (0, 1, True),
    ],
)
def test_ten_or_more_than_one_percent_are_more_than_a_few(
    valid_level: LevelMetrics, ok: int, failed: int, many: object
) -> None:
    level = replace(valid_level, outcomes={"ok": ok, "error": failed})
    assert has_many_failures(level) is many


def test_the_classes_come_by_their_number_with_a_text_of_each(valid_level: LevelMetrics) -> None:
    level = replace(
        valid_level,
        outcomes={"ok": 60, "error": 30, "timeout": 10, "dropped": 5, "abandoned": 7},
        error_classes={"wrong_result": 4, "connection": 26},
        error_examples={"connection": ("refused \x1b[31m",), "wrong_result": ("2 is not 3",)},
    )
    assert failures(level) == (
        "40 of 100 workflows failed (40.0 %); connection 26 (refused \\x1b[31m); "
        "wrong_result 4 (2 is not 3); longer than the deadline 10"
    )
