"""The summary of a run."""

from __future__ import annotations

from perf_pipeline.cli.summary import block, coloured, table, with_intervals
from perf_pipeline.report.run.headline import HEADLINE_COLUMNS

ROW = (
    *("100", "100", "not_steady", "55", "3.1/s", "service"),
    *("1 s", "1 s", "2 s", "≥ 3 s *", "0 %", "5 ms", "99"),
)


def test_in_a_narrow_terminal_validity_is_once_above_its_numbers() -> None:
    heading, *numbers = block(ROW, {}).splitlines()
    assert heading == "100: 100 wanted, not_steady"
    assert [line.split()[0] for line in numbers] == [
        *("samples", "throughput", "times", "average", "p50", "p90", "p99", "errors", "CPU", "in")
    ]
    assert not any("not_steady" in line for line in numbers)
    assert max(map(len, numbers)) <= 40


BELOW = {"throughput": "[3 to 4/s]", "p99": "needs 1,000 samples"}


def test_an_interval_is_below_its_value_and_in_its_column() -> None:
    heading, row, below = table([HEADLINE_COLUMNS, *with_intervals([ROW], [BELOW])]).splitlines()
    assert heading.index("throughput") == row.index("3.1/s") == below.index("[3 to 4/s]")
    assert heading.index("p99") == below.index("needs 1,000")
    assert len(with_intervals([ROW], [{}])) == 1


def test_in_a_narrow_terminal_the_interval_is_beside_its_value() -> None:
    assert "  throughput 3.1/s [3 to 4/s]" in block(ROW, BELOW).splitlines()


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    heading, row = table([HEADLINE_COLUMNS, ROW]).splitlines()
    assert heading.index("samples") == row.index("55")


def test_colour_changes_no_letter_and_marks_whole_validities_only() -> None:
    reported = coloured("valid not_steady invalid [red]valid[/red]")
    assert reported.plain == "valid not_steady invalid [red]valid[/red]"
    marked = [(reported.plain[span.start : span.end], span.style) for span in reported.spans]
    assert marked == [("valid", "green"), ("valid", "green"), ("not_steady", "bold yellow")]
