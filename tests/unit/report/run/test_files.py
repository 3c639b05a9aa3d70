"""The report's files are whole, and the JSON holds everything."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.run.files import render_json, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_the_files_of_the_report_are_written_and_nothing_else_is_left(
    baseline: RunMetrics, tmp_path: Path
) -> None:
    folder = tmp_path / "a run"
    level = replace(baseline.levels[0], seconds=(), distribution=None)
    files = write_report(replace(baseline, levels=(level,)), folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("headline.json", "report.html", "report.json", "report.md")
    ]
    assert files.html.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert files.markdown.read_text(encoding="utf-8").startswith("# Baseline")


def test_writing_again_replaces_the_report(empty: RunMetrics, tmp_path: Path) -> None:
    write_report(empty, tmp_path)
    files = write_report(replace(empty, status="interrupted"), tmp_path)
    assert json.loads(files.json.read_text(encoding="utf-8"))["status"] == "interrupted"


def test_json_holds_every_number_of_the_metrics(baseline: RunMetrics) -> None:
    whole = json.loads(render_json(baseline))
    assert whole["schema_version"] == 1
    assert whole["not_finite"] == []
    assert [level["throughput_per_s"] for level in whole["levels"]] == [
        level.throughput_per_s for level in baseline.levels
    ]
    assert whole["manifest"] == json.loads(json.dumps(asdict(baseline.manifest)))
    assert len(whole["levels"][2]["seconds"]) == len(baseline.levels[2].seconds)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_json_cannot_hold_is_null_and_named(
    baseline: RunMetrics, value: float
) -> None:
    level = replace(baseline.levels[0], throughput_per_s=value)
    whole = json.loads(render_json(replace(baseline, levels=(level,))))
    assert whole["levels"][0]["throughput_per_s"] is None
    assert whole["not_finite"] == ["levels[0].throughput_per_s"]


def test_an_ugly_run_is_reported_all_the_same(ugly: RunMetrics, tmp_path: Path) -> None:
    files = write_report(ugly, tmp_path)
    whole = json.loads(files.json.read_text(encoding="utf-8"))
    assert whole["run_id"] == ugly.run_id
    assert whole["not_finite"] == ["levels[0].seconds[1].in_flight"]
