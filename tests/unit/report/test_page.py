"""The report is one page that asks nothing of the network and shows hostile text as text."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.page import CHART_LEVELS_MAX, render_html

if TYPE_CHECKING:
    from perf_pipeline.metrics.run_metrics import RunMetrics

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


@pytest.fixture(params=["baseline", "ugly", "empty"])
def html(request: pytest.FixtureRequest) -> str:
    """The page of each run in turn."""
    metrics: RunMetrics = request.getfixturevalue(request.param)
    return render_html(metrics)


def test_every_element_is_closed_where_it_must_be(html: str) -> None:
    page = Page(html)
    assert page.unbalanced == []
    assert page.open == []


def test_nothing_is_loaded_and_nothing_runs(html: str) -> None:
    for tag, attributes in Page(html).tags:
        assert tag not in {"script", "img", "image", "iframe", "object", "embed", "base", "form"}
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        target = attributes.get("href") or ""
        assert target.startswith(("#", "data:,")) or not target
    style = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style
    assert html.count("default-src 'none'") == 1


def test_text_holds_no_character_that_cannot_be_seen(html: str) -> None:
    for found in Page(html).texts:
        assert found.replace("\n", "").isprintable()
    html.encode("utf-8")


def test_links_of_the_page_lead_somewhere(html: str) -> None:
    tags = Page(html).tags
    places = [attributes["id"] for _, attributes in tags if attributes.get("id")]
    links = {attributes["href"] for tag, attributes in tags if tag == "a"}
    assert {f"#{place}" for place in places} >= links
    assert len(places) == len(set(places))


def test_hostile_text_is_shown_letter_by_letter(ugly: RunMetrics) -> None:
    shown = "".join(Page(render_html(ugly)).texts)
    assert "<script>alert('x')</script> \\x1b[31mred" in shown
    assert "{{ 7 * 7 }}" in shown
    assert "(999,700 more characters)" in shown


def test_every_table_of_numbers_has_its_validity_beside_it(baseline: RunMetrics) -> None:
    html = render_html(baseline)
    tables = re.findall(r'<figure class="table.*?</figure>', html, re.DOTALL)
    without = [
        table
        for table in tables
        if 'class="verdict' not in table.partition("<tbody>")[0] and ">Validity<" not in table
    ]
    assert len(tables) > 40
    assert [re.findall(r'<th scope="col"[^>]*>([^<]*)', table) for table in without] == [
        ["Fields", "Why", "Levels"]
    ]


def test_no_table_of_many_columns_stands_in_half_of_the_page(baseline: RunMetrics) -> None:
    """Half of the page scrolls: p99 of the service times was out of sight there."""
    html = render_html(baseline)
    halves = re.findall(r'<div class="packed">.*?</section>', html, re.DOTALL)
    heads = [table.count('<th scope="col"') for half in halves for table in half.split("<table>")]
    assert len(heads) > 30
    assert max(heads) < 7
    assert html.index("Service time in the steady phase") < html.index('class="packed"')


def test_what_ran_and_the_verdicts_come_before_any_number(baseline: RunMetrics) -> None:
    html = render_html(baseline)
    order = ("what-ran", "verdicts", "headline", "cost", "targets", "side-by-side", "level-0")
    places = [html.index(f'id="{name}"') for name in (*order, "environment", "reading")]
    assert places == sorted(places)


def test_closed_loop_latency_is_called_service_time(baseline: RunMetrics) -> None:
    html = render_html(baseline)
    assert html.count("Service time (closed loop)") > 10
    assert "Response time (" not in html


def test_a_run_of_many_long_levels_stays_below_two_megabytes(baseline: RunMetrics) -> None:
    """A hundred levels of ten minutes each; those beyond the first are tables alone."""
    long = replace(baseline.levels[2], seconds=baseline.levels[2].seconds * 4)
    levels = tuple(replace(long, index=at, label=str(at)) for at in range(100))
    html = render_html(replace(baseline, levels=levels))
    assert len(html.encode()) < 2_000_000
    assert html.count("are drawn over time") == 100 - CHART_LEVELS_MAX


def test_the_same_metrics_give_the_same_page(baseline: RunMetrics) -> None:
    assert render_html(baseline) == render_html(baseline)
