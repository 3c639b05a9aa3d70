"""The list of runs: newest first, with doubts and sample counts; 1,000 of them at once."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from perf_pipeline.dashboard.run_filter import PAGE_ROWS, RunFilter, filtered_runs
from perf_pipeline.dashboard.run_rows import run_rows
from perf_pipeline.report.run.files import write_report
from perf_pipeline.report.run.run_headline import RunHeadline, headline_of, read_headline
from perf_pipeline.samples.run_folder import RunFolder
from tests.unit.dashboard.conftest import BEGIN, LINE, page_of, site_of, write_run
from tests.unit.report.conftest import HOSTILE, baseline, empty  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_the_newest_run_of_any_folder_comes_first_with_its_numbers(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    write_run(first, 1)
    newest = write_run(second, 3, verdict="missed", p99_is_bound=True)
    write_run(first, 2, p99_is_weak=True)
    rows = run_rows([first, second]).rows
    assert [row.started for row in rows] == [f"2026-01-14 00:0{minute}:00" for minute in (3, 2, 1)]
    assert (rows[0].verdict.text, rows[0].throughput.text) == ("missed", "412/s")
    assert rows[0].p99.text == "≥ 988 ms"
    assert "weak" in rows[1].p99.note
    assert rows[0].links == ((f"/{newest.name}/report.html", "report"),)
    assert rows[0].folder == str(newest)


def test_no_figure_is_shown_without_its_samples_and_no_verdict_without_its_validity(
    tmp_path: Path,
) -> None:
    write_run(tmp_path, 1, verdict="missed", validity="noisy_host")
    older = {"ok": None, "ended": None, "timed": None, "error_ratio": None}
    write_run(tmp_path, 2, **older)
    write_run(tmp_path, 3, throughput_per_s=None, p99_s=None, error_ratio=None)
    unmeasured, old, row = run_rows([tmp_path]).rows
    assert (row.verdict.text, row.validity.text) == ("missed", "noisy_host")
    assert (row.throughput.note, row.p99.note) == ("8,246 ok", "service time, 8,260 samples")
    assert (row.errors.text, row.errors.note) == ("0.170 %", "8,260 ended")
    assert "perf-pipeline report RUN" in old.throughput.note
    assert old.errors.text == "not stored"
    assert {unmeasured.throughput.text, unmeasured.p99.text, unmeasured.errors.text} == {
        "not measured"
    }


def test_a_run_that_ended_badly_shows_its_status_and_one_without_numbers_stays_in_the_list(
    tmp_path: Path,
) -> None:
    write_run(tmp_path, 1, status="interrupted")
    bare = write_run(tmp_path, 2, status="failed")
    (bare / "headline.json").unlink()
    (bare / "report.html").unlink()
    found = run_rows([tmp_path])
    assert [(row.verdict.text, row.links != ()) for row in found.rows] == [
        ("failed", False),
        ("interrupted", True),
    ]
    assert [row.can_compare for row in found.rows] == [False, True]
    assert found.damaged == ()


def test_damaged_runs_are_named_and_hide_no_other(tmp_path: Path) -> None:
    write_run(tmp_path, 1)
    cut = write_run(tmp_path, 2)
    (cut / "run.json").write_text('{"run_id": ', encoding="utf-8")
    odd = write_run(tmp_path, 3)
    (odd / "headline.json").write_text(json.dumps({**LINE, "p99_s": "fast"}), encoding="utf-8")
    index = run_rows([tmp_path, tmp_path / "missing"])
    assert [row.run_id for row in index.rows] == [odd.name, f"{BEGIN:%Y%m%d}_000100-0001"]
    assert [str(folder) in "\n".join(index.damaged) for folder in (cut, odd)] == [True, True]
    assert "What cannot be read" in page_of(site_of(tmp_path), "/")


def test_hostile_names_stay_text_and_no_address_leaves_the_server(tmp_path: Path) -> None:
    write_run(tmp_path, 1, scenario=HOSTILE, target=HOSTILE, verdict=HOSTILE, level=HOSTILE)
    for address in ("/", "/comparisons/", "/?scenario=%3Cscript%3E"):
        body = page_of(site_of(tmp_path), address).partition("<body>")[2]
        assert "<script" not in body
        assert "<img" not in body
        assert "\x1b" not in body
        assert 'href="http' not in body


def test_a_thousand_runs_are_listed_at_once(tmp_path: Path) -> None:
    """No metrics are opened: a second of CPU time would be many times too much."""
    for number in range(1000):
        write_run(tmp_path, number)
    site = site_of(tmp_path)
    before_s = time.process_time()
    page = page_of(site, "/")
    used_s = time.process_time() - before_s
    assert page.count("<tr id=") == PAGE_ROWS
    assert "1000 of 1000 runs" in page
    assert used_s < 3, used_s


def test_runs_are_filtered_and_paged_and_a_page_that_is_none_is_the_nearest(
    tmp_path: Path,
) -> None:
    for number in range(PAGE_ROWS + 2):
        write_run(tmp_path, number, target="control" if number % 2 else "kailash")
    write_run(tmp_path, 500, scenario="stress", verdict="missed")
    rows = run_rows([tmp_path]).rows
    missed = filtered_runs(rows, RunFilter.of({"verdict": "missed"}))
    assert [row.scenario for row in missed.rows] == ["stress"]
    assert (missed.fitting, missed.total, missed.older) == (1, PAGE_ROWS + 3, "")
    assert missed.choices[0].values == ("baseline", "stress")
    control = filtered_runs(rows, RunFilter.of({"target": "control"}))
    assert {row.target for row in control.rows} == {"control"}
    last = filtered_runs(rows, RunFilter.of({"scenario": "baseline", "page": "99"}))
    assert (len(last.rows), last.page, last.newer) == (2, 2, "/?scenario=baseline&page=1")
    for odd in ("", "-1", "x", "²", "9" * 5000):
        assert filtered_runs(rows, RunFilter.of({"page": odd})).page == 1
    assert filtered_runs(rows, RunFilter.of({"target": "none"})).rows == ()


def test_the_line_of_a_run_is_that_of_its_largest_level(
    baseline: RunMetrics,  # noqa: F811
    tmp_path: Path,
) -> None:
    write_report(baseline, tmp_path / "r-1")
    line = read_headline(RunFolder(tmp_path / "r-1").root)
    assert line == headline_of(baseline)
    largest = max((one for one in baseline.levels if one.role == "level"), key=_concurrency)
    assert (line.level, line.throughput_per_s) == (largest.shown, largest.throughput_per_s)
    assert line.p99_s == largest.service_times.p99.value_s
    assert (line.ended, line.error_ratio) == (largest.service_times.samples, largest.error_ratio)


def test_a_run_without_levels_has_a_line_without_numbers(
    empty: RunMetrics,  # noqa: F811
) -> None:
    line = headline_of(empty)
    assert isinstance(line, RunHeadline)
    assert (line.level, line.throughput_per_s, line.p99_s) == ("", None, None)


def _concurrency(level: Any) -> int:
    return int(level.concurrency)
