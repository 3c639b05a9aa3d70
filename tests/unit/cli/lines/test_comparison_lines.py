"""A comparison in a terminal: the verdict first, 25 lines of 100 columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.cli.lines.comparison_lines import comparison_lines
from tests.unit.report.comparison.conftest import hostile, planted  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Comparison


def test_the_verdict_comes_first_then_what_to_do_then_what_moved(
    planted: Comparison,  # noqa: F811
) -> None:
    lines = comparison_lines(planted, 100)
    assert lines[0].startswith("regression, critical: P90 latency at 500: +420 %")
    assert "find the cause before it ships" in lines
    assert "- Compare the packages." in lines
    assert "baseline: pinned:main (kailash 2.17.0; 2 runs; valid)" in lines
    assert any("packages: pandas 2.2.3 -> none (--despite)" in line for line in lines)
    assert any(line.startswith("throughput") and "−14.0 %" in line for line in lines)  # noqa: RUF001


def test_an_interleaved_comparison_has_levels_in_pairs_and_not_one_run_a_side(
    planted: Comparison,  # noqa: F811
) -> None:
    (side,) = (
        line
        for line in comparison_lines(replace(planted, paired=True), 100)
        if line.startswith("candidate: ")
    )
    assert f"; {len(planted.changes[0].baseline)} levels in pairs; " in side


@pytest.mark.parametrize("width", [60, 100])
def test_the_answer_fits_a_terminal_however_much_was_compared(
    planted: Comparison,  # noqa: F811
    width: int,
) -> None:
    many = tuple(
        replace(planted.changes[1], level=f"level {number}", family="analytics/simple")
        for number in range(300)
    )
    large = replace(planted, changes=many, recommendations=("word " * 80,) * 9)
    lines = comparison_lines(large, width)
    assert len(lines) <= 24  # and one for where the page is
    assert max(map(len, lines)) <= width
    assert lines[-1] == "291 metrics more with --explain"


def test_explain_has_every_metric_with_its_reason(planted: Comparison) -> None:  # noqa: F811
    lines = comparison_lines(planted, 100, explain=True)
    assert sum("The interval lies beyond 1 %." in line for line in lines) == len(planted.changes)
    assert any(line.startswith("Change: candidate against baseline") for line in lines)


def test_nothing_that_a_terminal_would_obey_is_printed(hostile: Comparison) -> None:  # noqa: F811
    text = "\n".join(comparison_lines(hostile, 100, explain=True))
    assert "\x1b" not in text
    assert "\u202e" not in text
