"""The check of the repeats warns of more spread than one explains, and of what is not known."""

from __future__ import annotations

import pytest

from perf_pipeline.metrics.types.repeats import LevelRepeats, RepeatedValue
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.report.run.checks import check_repeats


def run_of(*p_by_chance: float | None) -> RunMetrics:
    """Return a run of one level played twice for each probability: 100/s, then 110/s."""
    repeats = tuple(
        LevelRepeats(
            label=str(100 + n),
            repeats=(0, 1),
            validities=("valid", "valid"),
            values=(
                RepeatedValue(
                    what="throughput_per_s",
                    unit="/s",
                    values=(100.0, 110.0),
                    used=2,
                    mean=105.0,
                    low=41.5,
                    high=168.5,
                    spread=10.0,
                    difference_percent=100 * 10 / 105,
                    within_low=None if p is None else 104.0,
                    within_high=None if p is None else 106.0,
                    p_by_chance=p,
                ),
            ),
        )
        for n, p in enumerate(p_by_chance)
    )
    return RunMetrics("r", "complete", "valid", (), {}, (), (), (), repeats=repeats)


def test_repeats_that_agree_pass_and_a_run_without_any_has_no_finding() -> None:
    agree = check_repeats(run_of(0.3, 0.9))
    assert agree is not None
    assert agree.passed
    assert check_repeats(run_of()) is None


@pytest.mark.parametrize(
    ("p_by_chance", "expected"),
    [(0.001, "within one 104 to 106"), (None, "interval within one not known")],
)
def test_a_spread_that_one_does_not_explain_or_cannot_tell_is_a_warning_with_both_intervals(
    p_by_chance: float | None, expected: str
) -> None:
    result = check_repeats(run_of(0.5, p_by_chance))

    assert result is not None
    assert (result.passed, result.severity) == (False, "WARN")
    text = "\n\n".join(result.sentences)
    assert expected in text
    assert "41.5 to 168.5" in text
    assert "repeats of 101" in text
    assert "repeats of 100" not in text
