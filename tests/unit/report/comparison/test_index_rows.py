"""Comparisons are listed beside the runs; a damaged one is named and hides no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.comparison_file import (
    comparison_path,
    read_comparison,
    read_comparisons,
    write_comparison,
)
from perf_pipeline.report.comparison.files import comparison_files
from perf_pipeline.report.comparison.index_rows import comparison_rows
from tests.unit.dashboard.conftest import page_of, site_of

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.comparison import Comparison


def test_a_comparison_is_read_back_equal(planted: Comparison, tmp_path: Path) -> None:
    assert read_comparison(write_comparison(tmp_path, planted)) == planted


def test_the_newest_comparison_of_any_folder_comes_first(
    planted: Comparison, tmp_path: Path
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    write_comparison(first, planted)
    newest = replace(planted, comparison_id="20260115_093012-4f2c", verdict="unstable")
    write_comparison(second, newest)
    page = comparison_files(second, newest.comparison_id).html
    page.touch()
    rows = comparison_rows([first, second]).rows
    assert [row.verdict.text for row in rows] == ["unstable, critical", "regression, critical"]
    assert [row.link for row in rows] == [f"comparisons/{page.name}", ""]
    assert rows[1].first.startswith("P90 latency at 500: +420 %")
    assert f'<a href="/comparisons/{page.name}">' in page_of(
        site_of(first, second), "/comparisons/"
    )


def test_a_damaged_comparison_is_named_and_hides_no_other(
    planted: Comparison, tmp_path: Path
) -> None:
    write_comparison(tmp_path, planted)
    cut = comparison_path(tmp_path, "20260116_093012-4f2c")
    cut.write_text('{"schema_version": 1', encoding="utf-8")
    index = comparison_rows([tmp_path])
    assert [row.comparison_id for row in index.rows] == [planted.comparison_id]
    assert str(cut) in index.damaged[0]
    assert (read_comparisons(tmp_path, 1).found, read_comparisons(tmp_path, 1).older) == ((), 1)


def test_an_id_that_leads_out_of_the_folder_is_refused(planted: Comparison, tmp_path: Path) -> None:
    path = comparison_path(tmp_path, planted.comparison_id)
    written = write_comparison(tmp_path, planted).read_text(encoding="utf-8")
    path.write_text(written.replace(planted.comparison_id, "../../x"), encoding="utf-8")
    with pytest.raises(RunFolderError, match="comparison id"):
        read_comparison(path)


def test_hostile_names_stay_text_in_the_list(hostile: Comparison, tmp_path: Path) -> None:
    write_comparison(tmp_path, replace(hostile, comparison_id="20260114_093012-4f2c"))
    page = page_of(site_of(tmp_path), "/comparisons/")
    assert "<script" not in page
    assert "<img" not in page.partition("<body>")[2]
    assert 'href="http' not in page
