"""The list of runs: newest first, damaged ones named, hostile names inert, 1,000 runs at once."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from perf_pipeline.report.run.files import write_report
from perf_pipeline.report.run.run_headline import RunHeadline, headline_of, read_headline
from perf_pipeline.report.run_index import ROWS_MAX, render_index, run_index
from perf_pipeline.samples.run_folder import RunFolder
from tests.unit.report.conftest import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics

BEGIN = datetime(2026, 1, 14, tzinfo=UTC)
LINE: dict[str, Any] = {
    "schema_version": 1,
    "scenario": "baseline",
    "target": "kailash",
    "verdict": "met",
    "validity": "valid",
    "level": "100",
    "throughput_per_s": 412.345,
    "times": "service",
    "p99_s": 0.98765,
    "p99_is_bound": False,
    "p99_is_weak": False,
}


def write(results: Path, number: int, *, status: str = "complete", **line: Any) -> Path:
    """Write a run as far as the list reads it, started ``number`` minutes after another."""
    at = BEGIN + timedelta(minutes=number)
    run_id = f"{at:%Y%m%d_%H%M%S}-{number:04x}"
    folder = results / run_id
    folder.mkdir(parents=True)
    record = {
        "run_id": run_id,
        "scenario": "baseline",
        "status": status,
        "process": [1, 1, "another boot", 1, ""],
        "started_at": at.isoformat(),
    }
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "headline.json").write_text(json.dumps({**LINE, **line}), encoding="utf-8")
    (folder / "report.html").write_text("the report", encoding="utf-8")
    return folder


def test_the_newest_run_of_any_folder_comes_first_with_its_numbers(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    write(first, 1)
    newest = write(second, 3, verdict="missed", p99_is_bound=True)
    write(first, 2, p99_is_weak=True)
    rows = run_index([first, second]).rows
    assert [row.started for row in rows] == [f"2026-01-14 00:0{minute}:00" for minute in (3, 2, 1)]
    assert (rows[0].verdict, rows[0].throughput, rows[0].p99) == ("missed", "412/s", "≥ 988 ms")
    assert rows[1].p99 == "988 ms *"
    assert rows[0].links == ((f"{newest.name}/report.html", "report"),)
    assert rows[0].folder == str(newest)


def test_a_run_that_ended_badly_shows_its_status_and_one_without_numbers_stays_in_the_list(
    tmp_path: Path,
) -> None:
    write(tmp_path, 1, status="interrupted")
    bare = write(tmp_path, 2, status="failed")
    (bare / "headline.json").unlink()
    (bare / "report.html").unlink()
    index = run_index([tmp_path])
    assert [(row.verdict, row.links != ()) for row in index.rows] == [
        ("failed", False),
        ("interrupted", True),
    ]
    assert index.damaged == ()


def test_damaged_runs_are_named_and_hide_no_other(tmp_path: Path) -> None:
    write(tmp_path, 1)
    cut = write(tmp_path, 2)
    (cut / "run.json").write_text('{"run_id": ', encoding="utf-8")
    odd = write(tmp_path, 3)
    (odd / "headline.json").write_text(json.dumps({**LINE, "p99_s": "fast"}), encoding="utf-8")
    index = run_index([tmp_path, tmp_path / "missing"])
    assert [row.run_id for row in index.rows] == [odd.name, f"{BEGIN:%Y%m%d}_000100-0001"]
    assert [str(folder) in "\n".join(index.damaged) for folder in (cut, odd)] == [True, True]
    assert "Folders that cannot be read" in render_index([tmp_path])


def test_hostile_names_stay_text_and_no_address_leaves_the_server(tmp_path: Path) -> None:
    write(tmp_path, 1, scenario=HOSTILE, target=HOSTILE, verdict=HOSTILE, level=HOSTILE)
    page = render_index([tmp_path])
    body = page.partition("<body>")[2]
    assert "<script" not in page
    assert "<img" not in body
    assert "\x1b" not in page
    assert 'href="http' not in page


def test_a_thousand_runs_are_listed_at_once_and_older_ones_counted(tmp_path: Path) -> None:
    """No metrics are opened: a second of CPU time would be ten times too much."""
    for number in range(ROWS_MAX + 5):
        write(tmp_path, number)
    before_s = time.process_time()
    page = render_index([tmp_path])
    used_s = time.process_time() - before_s
    assert page.count("<tr id=") == ROWS_MAX
    assert "5 older" in page
    assert used_s < 3, used_s


def test_an_empty_folder_says_how_to_make_a_run(tmp_path: Path) -> None:
    assert "`perf-pipeline run baseline` makes one" in render_index([tmp_path])


def test_the_line_of_a_run_is_that_of_its_largest_level(
    baseline: RunMetrics, tmp_path: Path
) -> None:
    write_report(baseline, tmp_path / "r-1")
    line = read_headline(RunFolder(tmp_path / "r-1").root)
    assert line == headline_of(baseline)
    largest = max((one for one in baseline.levels if one.role == "level"), key=_concurrency)
    assert (line.level, line.throughput_per_s) == (largest.shown, largest.throughput_per_s)
    assert line.p99_s == largest.service_times.p99.value_s


def test_a_run_without_levels_has_a_line_without_numbers(empty: RunMetrics) -> None:
    line = headline_of(empty)
    assert isinstance(line, RunHeadline)
    assert (line.level, line.throughput_per_s, line.p99_s) == ("", None, None)


def _concurrency(level: Any) -> int:
    return int(level.concurrency)
