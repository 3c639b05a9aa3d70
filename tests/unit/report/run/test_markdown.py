"""The report as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.run.answers import verdicts
from perf_pipeline.report.run.cost import cost_of
from perf_pipeline.report.run.markdown import render_markdown
from perf_pipeline.report.text.escape import markdown as inert

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_the_headline_is_a_table_with_validity_and_samples(baseline: RunMetrics) -> None:
    lines = render_markdown(baseline).splitlines()
    row = "| 1000 (kailash, code nodes) | 1,000 | 1,000 | not_steady | 21,420 | 1,000 | 143/s |"
    assert [line for line in lines if line.startswith(row)]


def test_every_row_of_a_table_has_as_many_cells_as_its_head(
    baseline: RunMetrics, ugly: RunMetrics
) -> None:
    for metrics in (baseline, ugly):
        blocks = render_markdown(metrics).split("\n\n")
        tables = [block.splitlines() for block in blocks if block.startswith("| ")]
        assert tables
        for table in tables:
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


def test_hostile_text_makes_no_tag_and_no_link(ugly: RunMetrics) -> None:
    shown = render_markdown(ugly)
    assert "<script" not in shown
    assert "<img" not in shown
    assert "](http" not in shown.replace("\\](", "")
    assert shown.replace("\n", "").isprintable()


def test_a_run_without_levels_says_so(empty: RunMetrics) -> None:
    shown = render_markdown(empty)
    assert "No level was measured." in shown
    assert "- Target: control" in shown


def test_the_answers_come_before_any_number(baseline: RunMetrics) -> None:
    shown = render_markdown(baseline)
    order = ("Summary", "Load levels", "Targets", "Cost of the work", "What the answers rest on")
    places = [shown.index(f"## {title}") for title in order]
    assert places == sorted(places)
    top = shown[: places[1]]
    assert "**Is it a measurement? not_steady.**" in top
    assert "- Goal: missed" in shown[places[-1] :]
    assert "**How much is the runtime's own? 96.1 %.**" in top
    answers = [block for block in top.split("\n\n") if block.startswith("**")]
    assert len(answers) >= 4
    assert max(map(len, answers)) < 300  # two to three lines of 100 columns


def test_what_the_top_does_not_hold_of_an_answer_stands_below(baseline: RunMetrics) -> None:
    shown = " ".join(render_markdown(baseline).split())
    for one in verdicts(baseline, cost_of(baseline)):
        for sentence in one.sentences:
            assert inert(sentence) in shown


def test_no_cell_begins_a_formula(baseline: RunMetrics) -> None:
    """A table that is pasted into a spreadsheet must not compute what a server answered."""
    for first in "=+-@":
        example = {"connection": (f"{first}cmd|' /C calc'!A0",)}
        level = replace(baseline.levels[2], error_examples=example)
        shown = render_markdown(replace(baseline, levels=(level,)))
        assert f"| \\{first}cmd" in shown
        assert not re.search(r"^\| *[=+@]|\| [=+@]", shown, re.MULTILINE)
