"""Data files: what a row is, and every problem named with its line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config import data_file
from perf_pipeline.config.data_file import read_data, rows_of
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.plan.plan import plan_levels

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario

SCENARIO = """
target = "{target}"
concurrency = [2]
python_path = "."
[[workload]]
{workload}
data = "{data}"
"""


def _scenario(folder: Path, data: str, workload: str = 'function = "shop:order"') -> Scenario:
    target = "callable" if "function" in workload else "control"
    text = SCENARIO.format(target=target, workload=workload, data=data)
    return parse_scenario(text, "shop", read_machine_limits(), folder=folder)


def test_a_csv_row_is_a_dict_of_texts_by_the_header(tmp_path: Path) -> None:
    """With a byte order mark, an empty line, and a value of two lines, as spreadsheets write it."""
    path = tmp_path / "orders.csv"
    path.write_text('\ufeffid,note\r\n1,a\r\n\r\n2,"b\nc"\r\n', encoding="utf-8")

    assert read_data(str(path)).rows == ({"id": "1", "note": "a"}, {"id": "2", "note": "b\nc"})


def test_a_json_line_is_any_value(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    path.write_text('{"id": 1}\n\n[1, null]\n"text \u2028 of one line"\n', encoding="utf-8")

    assert read_data(str(path)).rows == ({"id": 1}, [1, None], "text \u2028 of one line")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "id,note\n1\n2,b\n3,c,d\n", ["line 2 has 1 values; the h", "line 4 has 3 val"]),
        ("a.csv", "id,id\n1,2\n", ["line 1 is the header; each column needs its own name"]),
        ("a.csv", 'id\n"a\n', ["is not CSV"]),
        ("a.csv", "id,note\n", ["which has no rows"]),
        ("a.csv", "", ["which has no rows"]),
        ("a.jsonl", '{"id": 1}\n{"id"\nnot\n', ["line 2 is not JSON", "line 3 is not JSON"]),
        ("a.txt", "1\n", ["allowed are .csv and .jsonl files"]),
    ],
)
def test_every_bad_line_is_named(
    tmp_path: Path, name: str, content: str, expected: list[str]
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")

    problems = read_data(str(path)).problems

    assert len(problems) == len(expected)
    for problem, part in zip(problems, expected, strict=True):
        assert part in problem


def test_a_file_that_is_not_text_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id\n1\n\xff\n")

    assert "line 3 is not UTF-8" in read_data(str(path)).problems[0]


def test_the_limits_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id\n1\n2\n3\n", encoding="utf-8")
    monkeypatch.setattr(data_file, "MAX_ROWS", 2)
    assert "with 3 rows; allowed are 2" in read_data(str(path)).problems[0]
    monkeypatch.setattr(data_file, "MAX_BYTES", 5)
    assert "with 9 bytes; allowed are 5" in read_data(str(path)).problems[0]


def test_check_names_a_missing_file_and_data_of_a_family_together(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as error:
        _scenario(tmp_path, "orders.csv")
    assert "workload[1].data is" in error.value.problems[0]
    assert "cannot be read: No such file" in error.value.problems[0]

    with pytest.raises(ScenarioError) as error:
        _scenario(tmp_path, "orders.csv", 'family = "transformation"\ncomplexity = "simple"')
    assert "given without function" in error.value.problems[0]


def test_the_content_of_the_file_is_part_of_the_plan_and_its_place_is_not(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder, text in (("a", "id\n1\n"), ("b", "id\n1\n")):
        (tmp_path / folder / "orders.csv").write_text(text, encoding="utf-8")
    one, other = (_scenario(tmp_path / folder, "orders.csv") for folder in ("a", "b"))
    (tmp_path / "b" / "orders.csv").write_text("id\n2\n", encoding="utf-8")
    changed = _scenario(tmp_path / "b", "orders.csv")
    without = replace(
        one, workloads=tuple(replace(w, data="", data_sha256="") for w in one.workloads)
    )

    hashes = [plan_levels(scenario, 1)[0].sha256() for scenario in (one, other, changed, without)]

    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_a_file_that_changed_after_the_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id\n1\n", encoding="utf-8")
    planned = read_data(str(path)).sha256
    assert rows_of(str(path), planned) == ({"id": "1"},)

    path.write_text("id\n2\n", encoding="utf-8")

    with pytest.raises(ValueError, match="has changed since the run was planned"):
        rows_of(str(path), planned)
