"""The page of a comparison: the verdict in words, every effect, and nothing in it runs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.comparison.files import write_comparison_pages
from perf_pipeline.report.comparison.markdown import render_markdown
from perf_pipeline.report.comparison.page import render_html
from perf_pipeline.report.comparison.tables import (
    answers,
    by_weight,
    changes_table,
    differences_table,
)
from tests.unit.report.comparison.conftest import change, comparison

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.comparison import Comparison, ComparisonVerdict
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

BYTES_MAX = 1_500_000
"""Of a page with 12 levels of 7 kinds of workflow, 8 metrics of each."""


@pytest.fixture(scope="module")
def page(planted: Comparison, baseline: RunMetrics) -> str:
    """The page, with the distributions of a run on both sides."""
    return render_html(planted, [baseline], [baseline], reported={"r-1", "r-3"})


def test_the_answer_names_the_verdict_what_moved_most_and_what_to_do(
    planted: Comparison,
) -> None:
    worse, to_do = answers(planted)
    assert worse.answer.text == "regression, critical"
    assert worse.sentences[0] == (
        "P90 latency at 500: +420 % (+290 to +700 %); P99 latency at 500, analytics/simple: "
        "+31.0 % (+18.0 to +44.0 %); throughput at 500: −14.0 % (−17.0 to −10.0 %)."  # noqa: RUF001
    )
    assert worse.sentences[1] == (
        "Of 9 metrics: 4 got worse, 1 may have changed (unstable), 1 got better, 2 did not change, "
        "1 could not be compared."
    )
    assert to_do.answer.text == "find the cause before it ships"
    assert to_do.sentences == planted.recommendations


@pytest.mark.parametrize(
    ("verdict", "tone", "action"),
    [
        ("improvement", "good", "nothing stands against it"),
        ("no_change", "good", "nothing stands against it"),
        ("unstable", "warn", "measure more: nothing is decided"),
        ("no_data", "quiet", "measure again: nothing was compared"),
    ],
)
def test_doubt_is_never_shown_as_a_pass(verdict: ComparisonVerdict, tone: str, action: str) -> None:
    one = change("p99_s", verdict, None if verdict == "no_data" else (1.0, 0.9, 1.2))
    worse, to_do = answers(comparison([one], verdict))
    assert (worse.answer.tone, to_do.answer.text) == (tone, action)
    assert verdict.replace("_", " ") in worse.answer.text


def test_an_unstable_whole_without_an_undecided_metric_names_what_is_missing() -> None:
    one = change("throughput_per_s", "no_data", None)
    worse, _ = answers(comparison([one, change("p50_s", "no_change", (1, 0.99, 1.01))], "unstable"))
    assert worse.sentences[0] == "throughput at 500: no data."


def test_every_change_has_a_row_with_effect_interval_and_verdict_the_worst_first(
    planted: Comparison,
) -> None:
    table = changes_table("Every metric", by_weight(planted.changes))
    columns = dict(zip(table.columns, zip(*table.rows, strict=True), strict=True))
    assert [cell.text for cell in columns["Verdict"]] == [
        "regression, critical",
        "regression, critical",
        "regression, major",
        "regression, major",
        "unstable",
        "improvement",
        "no change",
        "no change",
        "no data",
    ]
    assert columns["Change"][0].text == "+420 %"
    assert columns["Interval"][7].text == "−0.2 to +0.4 points"  # noqa: RUF001 - a minus sign
    assert columns["Baseline"][7].text == "1.00 %"
    assert (columns["Baseline"][8].text, columns["Baseline"][8].note) == ("512 MB", "1 of 2 runs")
    assert columns["Candidate"][8].text == "not measured"


def test_a_row_does_not_repeat_its_effect_and_interval_in_its_reason() -> None:
    why = "+12 % [+3 %, +21 %]: the interval excludes no change"
    measured = change("p90_s", "regression", (1.12, 1.03, 1.21), "minor", why=why)
    lacking = change("p99_s", "no_data", None, why="baseline: level [10] was not measured")
    table = changes_table("", [measured, lacking])
    notes = [row[table.columns.index("Verdict")].note for row in table.rows]
    assert notes == ["the interval excludes no change", "baseline: level [10] was not measured"]


def test_of_equally_bad_changes_throughput_cpu_time_and_errors_are_named_first() -> None:
    p90 = change("p90_s", "regression", (2.1, 1.9, 2.3), "critical")
    kind = change("throughput_per_s", "regression", (0.4, 0.3, 0.5), "critical", family="a/simple")
    throughput = change("throughput_per_s", "regression", (0.5, 0.4, 0.6), "critical")
    worse, _ = answers(comparison([p90, kind, throughput], "regression"))
    assert worse.sentences[0].startswith("throughput at 500: ")


def test_what_was_overridden_stands_out_from_what_is_under_test(planted: Comparison) -> None:
    roles = [(row[0].text, row[3].text, row[3].tone) for row in differences_table(planted).rows]
    assert roles == [("version", "under test", "plain"), ("packages", "overridden", "warn")]


def test_the_page_draws_effects_cpu_time_and_the_distribution_of_each_level(
    page: str, planted: Comparison, baseline: RunMetrics
) -> None:
    """Ratios and differences each have a plot; of the two levels only 500 is in both runs."""
    drawn = [level.label for level in baseline.levels if level.distribution is not None]
    both = {one.level for one in planted.changes} & set(drawn)
    assert both
    assert page.count("<svg ") == 3 + len(both)
    assert "P90 latency at 500: +420 % (+290 to +700 %)" in page
    assert "cumulative distribution" in page
    assert 'href="../r-1/report.html"' in page
    assert 'href="../r-2/report.html"' not in page


def test_an_effect_that_is_only_a_bound_is_in_the_table_and_not_drawn() -> None:
    one = change("p99_s", "no_data", (1.2, 1.0, 1.4))
    page = render_html(comparison([one], "no_data"))
    assert "<svg" not in page
    assert "No metric could be judged" in page
    assert "+20.0 %" in page


def test_without_stored_distributions_the_page_says_so(planted: Comparison) -> None:
    page = render_html(planted)
    assert "No level has stored distributions on both sides" in page
    assert page.count("<svg ") == 3


def test_every_text_is_inert_in_the_page_and_in_the_markdown(hostile: Comparison) -> None:
    page = render_html(hostile)
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "\x1b" not in page
    assert "default-src 'none'" in page
    markdown = render_markdown(hostile)
    assert "\x1b" not in markdown
    assert "<script" not in markdown
    assert not re.search(r"(?<!\\)\[link\]", markdown)


def test_the_page_of_many_metrics_stays_small(planted: Comparison) -> None:
    one = planted.changes[1]
    many = [
        replace(one, level=f"level {level}", family=f"family {family}", metric=f"p{p}_s")
        for level in range(12)
        for family in range(7)
        for p in range(8)
    ]
    page = render_html(replace(planted, changes=tuple(many)))
    assert len(page.encode()) < BYTES_MAX
    assert f"Not drawn: {len(many) - 24} effects of less weight." in page


def test_markdown_has_the_answers_and_a_row_for_each_metric(planted: Comparison) -> None:
    markdown = render_markdown(planted)
    assert "**Did it get worse? regression, critical.** P90 latency at 500" in markdown
    assert markdown.count("\n| P99 latency |") == 2
    assert "| packages | pandas 2.2.3 | none | overridden" in markdown


def test_pages_are_written_beside_each_other_and_lead_to_reports_that_are_there(
    planted: Comparison, tmp_path: Path
) -> None:
    (tmp_path / "r-2").mkdir()
    (tmp_path / "r-2/report.html").touch()
    files = write_comparison_pages(tmp_path, planted)
    assert files.html == tmp_path / f"comparisons/{planted.comparison_id}.html"
    page = files.html.read_text(encoding="utf-8")
    assert 'href="../r-2/report.html"' in page
    assert 'href="../r-1/report.html"' not in page
    assert files.markdown.read_text(encoding="utf-8") == render_markdown(planted)
