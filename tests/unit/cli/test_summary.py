"""The summary of a run fits a terminal, answers first, and explains itself only where asked."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.cli.lines.lines import table, wrapped
from perf_pipeline.cli.summary import (
    coloured,
    fitting_table,
    summary_lines,
    with_intervals,
)
from perf_pipeline.report.run.headline import HEADLINE_COLUMNS, INTERVAL_NOTE, headline_table
from tests.unit.report.conftest import baseline

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

__all__ = ["baseline"]

ROW = (
    *("100", "100", "not_steady", "55", "3.1/s", "service"),
    *("1 s", "1 s", "2 s", "≥ 3 s *", "0 %", "5 ms", "99"),
)
BELOW = {"throughput": "[3 to 4/s]", "p99": "needs 1,000 samples"}
REPORT_AND_NEXT = 2


@pytest.mark.parametrize("width", [80, 100])
def test_a_baseline_fits_the_width_and_25_lines(baseline: RunMetrics, width: int) -> None:
    """Three levels and two arms, with twenty lines of what failed on top."""
    lines = summary_lines(baseline, width, first=["gate production: throughput at 100"] * 20)
    assert max(map(len, lines)) <= width
    assert len(lines) + REPORT_AND_NEXT <= 25
    assert any(re.match(r"and \d+ lines more", line) for line in lines)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_word_and_no_number_is_broken(baseline: RunMetrics, width: int) -> None:
    """The lines have the words of one line that is never wrapped, those of the legend included."""
    one_line = "\n".join(summary_lines(baseline, 100_000, explain=True))
    words = set(one_line.split()) | {"…"}
    for explain in (False, True):
        for line in summary_lines(baseline, width, explain=explain):
            assert set(line.split()) <= words | {
                word for row in headline_table(baseline) for word in " ".join(row.cells).split()
            } | set(re.findall(r"±\S+", line)), line
            assert not re.match(r"\s*(ms|s|%|MB)\b", line), line


def test_what_failed_is_first_and_the_answers_are_before_the_levels(baseline: RunMetrics) -> None:
    failed = replace(baseline.levels[0], validity="target_failed", reasons=("none succeeded",))
    run = replace(baseline, levels=(failed, *baseline.levels[1:]))
    lines = summary_lines(run, 100, first=["gate goal: memory at 500"])
    assert lines[1] == "target_failed at 100: none succeeded"
    assert lines[2].startswith("errors at 1000: 17 of 32,147 workflows failed")
    starts = ("not valid: ", "gate goal: memory at 500", "Is it a measurement?")
    starts += ("Does it meet the targets?", "What limited it?", "level ")
    places = [next(i for i, line in enumerate(lines) if line.startswith(s)) for s in starts]
    assert places == sorted(places)


def test_the_legend_is_only_where_it_is_asked_for(baseline: RunMetrics) -> None:
    shown = " ".join(" ".join(summary_lines(baseline, 100)).split())
    asked = " ".join(" ".join(summary_lines(baseline, 100, explain=True)).split())
    assert "CPU time of the target's worker processes" not in shown
    assert INTERVAL_NOTE in asked


def test_a_table_has_the_most_important_columns_that_fit() -> None:
    heads = {
        width: re.split(r"\s{2,}", fitting_table([ROW], width, is_open=False).splitlines()[0])
        for width in (24, 60, 200)
    }
    assert heads[24] == ["level", "validity"]
    assert set(heads[60]) > {"level", "validity", "samples", "throughput", "p99", "errors"}
    assert heads[200] == list(HEADLINE_COLUMNS)


def test_of_an_open_level_the_kind_of_its_times_is_shown_before_its_errors() -> None:
    is_shown = {
        is_open: "times" in fitting_table([ROW], 60, is_open=is_open).splitlines()[0]
        for is_open in (False, True)
    }
    assert is_shown == {False: False, True: True}


def test_a_number_stays_beside_its_unit() -> None:
    assert wrapped("it takes 1.25 ms", 13) == ["it takes", "  1.25 ms"]
    assert wrapped("errors are 0.5 % of all", 14) == ["errors are", "  0.5 % of all"]
    assert wrapped("one two three four", 9, 1) == ["one two …"]


def test_an_interval_is_below_its_value_and_in_its_column() -> None:
    heading, row, below = table([HEADLINE_COLUMNS, *with_intervals([ROW], [BELOW])]).splitlines()
    assert heading.index("throughput") == row.index("3.1/s") == below.index("[3 to 4/s]")
    assert heading.index("p99") == below.index("needs 1,000")
    assert len(with_intervals([ROW], [{}])) == 1


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    heading, row = table([HEADLINE_COLUMNS, ROW]).splitlines()
    assert heading.index("samples") == row.index("55")


def test_colour_changes_no_letter_and_marks_whole_validities_only() -> None:
    reported = coloured("valid not_steady invalid [red]valid[/red]")
    assert reported.plain == "valid not_steady invalid [red]valid[/red]"
    marked = [(reported.plain[span.start : span.end], span.style) for span in reported.spans]
    assert marked == [("valid", "green"), ("valid", "green"), ("not_steady", "bold yellow")]
