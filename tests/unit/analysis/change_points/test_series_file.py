"""Series from JSON lines and CSV, and everything that is wrong with a file at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.change_points.series_file import NamedSeries, read_series
from perf_pipeline.errors import SeriesFileError

if TYPE_CHECKING:
    from pathlib import Path


def _read(folder: Path, name: str, text: str) -> list[NamedSeries]:
    (folder / name).write_text(text, encoding="utf-8")
    return read_series(folder / name)


def _problems(folder: Path, name: str, text: str) -> list[str]:
    with pytest.raises(SeriesFileError) as caught:
        _read(folder, name, text)
    return [one.removeprefix(f"{folder / name}: ") for one in caught.value.problems]


def test_a_line_of_json_is_a_series(tmp_path: Path) -> None:
    first = '{"name": "a", "value": [1, 2.5], "unit": "ms", "version": [7]}'
    found = _read(tmp_path, "x.jsonl", first + '\n\n{"name": "b", "value": []}\n')
    assert found == [NamedSeries("a", "ms", (1.0, 2.5)), NamedSeries("b", "", ())]


def test_a_row_of_csv_is_a_value_where_there_is_such_a_column(tmp_path: Path) -> None:
    found = _read(tmp_path, "x.csv", "\ufeffname,unit,value\r\na,s,1\r\nb,,7\r\na,s,2e-1\r\n")
    assert found == [NamedSeries("a", "s", (1.0, 0.2)), NamedSeries("b", "", (7.0,))]
    assert _read(tmp_path, "p99.csv", "run,value\nx,1\ny,2\n") == [
        NamedSeries("p99", "", (1.0, 2.0))
    ]


def test_else_a_column_of_csv_is_a_series(tmp_path: Path) -> None:
    """The shorter one ends with empty cells; the dates are labels."""
    found = _read(tmp_path, "x.csv", "date,p50,p99\nmon,1,10\ntue,2,11\nwed,3,\n")
    assert found == [NamedSeries("p50", "", (1.0, 2.0, 3.0)), NamedSeries("p99", "", (10.0, 11.0))]


def test_every_bad_line_of_json_is_named_at_once(tmp_path: Path) -> None:
    lines = (
        '{"name": "a", "value": [1, null, NaN, true, "2"]}',
        "{",
        "[1]",
        '{"value": [1]}',
        '{"name": 7, "value": 3, "unit": []}',
        f'{{"name": "b", "value": [1e999, {10**400}]}}',
        '{"name": "c", "value": [1]}',
    )
    problems = _problems(tmp_path, "x.jsonl", "\n".join(lines))
    assert [one.split(":")[0] for one in problems] == [
        "line 1 has values that are not finite numbers",
        "line 2 is not JSON",
        "line 3 is no object; each line is one with name and value",
        "line 4 has no name",
        "line 5 has the name 7, not a text",
        "line 5 has the unit [], not a text",
        "line 5 has no value, a list of numbers",
        "line 6 has values that are not finite numbers",
    ]
    assert "value[1] = None, value[2] = nan, value[3] = True and 1 more" in problems[0]


def test_every_bad_cell_of_csv_is_named_at_once(tmp_path: Path) -> None:
    problems = _problems(tmp_path, "x.csv", "p50,p99\n1,x\n,2\n3,inf\n4\n")
    assert [one.partition(";")[0] for one in problems] == [
        "line 5 has 1 values",
        "line 3 has nothing in column 'p50'",
        "line 2 has 'x', not a finite number in column 'p99'",
        "line 4 has 'inf', not a finite number in column 'p99'",
    ]
    problems = _problems(tmp_path, "x.csv", "name,value\na,1\na,?\nb,\n")
    assert [one.partition(";")[0] for one in problems] == [
        "line 3 has '?', not a finite number in column 'value'",
        "line 4 has nothing in column 'value'",
    ]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("x.jsonl", "\n", "has no series"),
        ("x.csv", "", "has no series"),
        ("x.csv", "name,value\n", "has no series"),
        ("x.csv", "date\nmon\n", "has no series"),
        ("x.csv", "a,a\n1,2\n", "line 1 is the header; each column needs its own name"),
        ("x.json", "{}", "allowed are .csv and .jsonl files, one object or row a line"),
    ],
)
def test_a_file_without_series_is_refused(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    assert _problems(tmp_path, name, text) == [problem]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeriesFileError, match="cannot be read: No such file"):
        read_series(tmp_path / "missing.csv")
    (tmp_path / "x.jsonl").write_bytes(b'{}\n{"name": "\xff"}')
    with pytest.raises(SeriesFileError, match="line 2 is not UTF-8"):
        read_series(tmp_path / "x.jsonl")


def test_of_many_problems_the_first_20_are_listed(tmp_path: Path) -> None:
    problems = _problems(tmp_path, "x.jsonl", "{\n" * 1030)
    assert len(problems) == 21
    assert problems[-1] == "1,010 problems more"
