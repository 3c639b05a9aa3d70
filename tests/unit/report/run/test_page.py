"""The report is one page that asks nothing of the network and shows hostile text as text."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.types.steady_state import SteadyState
from perf_pipeline.report.run.page import CHART_LEVELS_MAX, render_html

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

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
        if self.open and self.open[-1] not in {"style", "script"}:
            self.texts.append(data)


@pytest.fixture(scope="module")
def page(baseline: RunMetrics) -> str:
    """The page of an ordinary run."""
    return render_html(baseline)


@pytest.fixture(scope="module")
def ugly_page(ugly: RunMetrics) -> str:
    """The page of a run as ugly as runs can get."""
    return render_html(ugly)


@pytest.fixture(scope="module")
def empty_page(empty: RunMetrics) -> str:
    """The page of a run of which nothing is known."""
    return render_html(empty)


@pytest.fixture(scope="module", params=["page", "ugly_page", "empty_page"])
def html(request: pytest.FixtureRequest) -> str:
    """The page of each run in turn."""
    return str(request.getfixturevalue(request.param))


def test_every_element_is_closed_where_it_must_be(html: str) -> None:
    page = Page(html)
    assert page.unbalanced == []
    assert page.open == []


def test_nothing_is_loaded(html: str) -> None:
    for tag, attributes in Page(html).tags:
        assert tag not in {"img", "image", "iframe", "object", "embed", "base", "form"}
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        for name in ("href", "xlink:href", "action", "data", "poster", "srcset"):
            target = attributes.get(name) or ""
            assert target.startswith(("#", "data:,")) or not target
    style = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style
    assert not re.findall(r"url\((?!#)", re.sub(r">[^<]*<", "><", html))


def test_only_the_pages_own_script_may_run(html: str) -> None:
    """Its hash stands in the policy: text that became a script would not run even so."""
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    found = b64encode(sha256(script.encode()).digest()).decode()
    (policy,) = (
        attributes["content"] or ""
        for tag, attributes in Page(html).tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{found}';" in policy
    assert "fetch" not in script
    assert "http" not in script.replace("http://www.w3.org/2000/svg", "")


def test_text_contains_no_invisible_character(html: str) -> None:
    for found in Page(html).texts:
        assert found.replace("\n", "").isprintable()
    html.encode("utf-8")


def test_links_of_the_page_lead_somewhere(html: str) -> None:
    tags = Page(html).tags
    places = [attributes["id"] for _, attributes in tags if attributes.get("id")]
    links = {attributes["href"] for tag, attributes in tags if tag == "a"}
    assert {f"#{place}" for place in places} >= links
    assert len(places) == len(set(places))


def test_hostile_text_is_shown_letter_by_letter(ugly_page: str) -> None:
    shown = "".join(Page(ugly_page).texts)
    assert "<script>alert('x')</script> \\x1b[31mred" in shown
    assert "{{ 7 * 7 }}" in shown
    assert "(999,700 more characters)" in shown


def test_every_table_of_numbers_has_its_validity_beside_it(page: str) -> None:
    tables = re.findall(r'<figure class="table.*?</figure>', page, re.DOTALL)
    without = [
        table
        for table in tables
        if 'class="verdict' not in table.partition("<tbody>")[0] and ">Validity<" not in table
    ]
    assert len(tables) > 40
    assert [re.findall(r'<th scope="col"[^>]*>([^<]*)', table) for table in without] == [
        ["Grade", "throughput", "average latency", "P99 latency", "success rate", "memory"],
        ["Fields", "Reason", "Levels"],
    ], "limits and reasons are not measured"


def test_no_table_of_many_columns_is_in_half_of_the_page(page: str) -> None:
    """Half of the page scrolls: p99 of the service times was out of sight there."""
    halves = re.findall(r'<div class="packed">.*?</details>', page, re.DOTALL)
    heads = [table.count('<th scope="col"') for half in halves for table in half.split("<table")]
    assert len(heads) > 30
    assert max(heads) < 7


def test_the_answers_come_before_any_number_and_the_numbers_before_their_details(
    page: str,
) -> None:
    order = ("verdicts", "headline", "targets", "cost", "test-conditions", "level-0", "level-4")
    places = [page.index(f'id="{name}"') for name in (*order, "environment", "reading")]
    assert places == sorted(places)


def test_headings_go_down_one_step_at_a_time(html: str) -> None:
    steps = [int(tag[1]) for tag, _ in Page(html).tags if re.fullmatch("h[1-6]", tag)]
    assert steps[0] == 1
    assert steps.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(steps))


def test_every_chart_says_what_it_shows_to_who_cannot_see_it(page: str) -> None:
    charts = [attributes for tag, attributes in Page(page).tags if tag == "svg"]
    assert len(charts) > 30
    assert all(chart["role"] == "img" and len(chart["aria-label"] or "") > 30 for chart in charts)
    assert len({chart["aria-label"] for chart in charts}) == len(charts)


def test_without_the_script_nothing_is_folded_away(page: str) -> None:
    """The script folds what is not read first; who has none sees it all, and so does a printer."""
    folds = [attributes for tag, attributes in Page(page).tags if tag == "details"]
    assert len(folds) > 20
    assert all("open" in fold for fold in folds)


def test_a_chart_has_at_most_three_hundred_points_a_line_and_says_what_a_point_is(
    baseline: RunMetrics,
) -> None:
    """Three hours, a second a point, would be 10,800 of them."""
    level = baseline.levels[0]
    seconds = tuple(replace(level.seconds[5], t_s=float(at)) for at in range(10_800))
    html = render_html(replace(baseline, levels=(replace(level, seconds=seconds),)))
    series = [
        json.loads(attributes["data-points"] or "")
        for tag, attributes in Page(html).tags
        if attributes.get("data-points")
    ]
    assert max(len(each["t"]) for each in series) in range(200, 301)
    assert html.count("Each point covers 45 s") > 2
    assert "at most 240 points in a line" in html


def test_closed_loop_latency_is_called_service_time(page: str, ugly_page: str) -> None:
    assert page.count("Service time (closed loop)") > 10
    assert "Response time (" not in page
    assert "Response time (open loop)" in ugly_page


def test_a_run_of_many_long_levels_stays_below_two_megabytes(
    baseline: RunMetrics,
) -> None:
    """A hundred levels; those beyond the first 16 are tables alone."""
    bare = replace(baseline.levels[2], seconds=(), distribution=None)
    bare = replace(bare, resources=replace(bare.resources, series=()))
    levels = tuple(replace(bare, index=at, label=str(at)) for at in range(100))
    html = render_html(replace(baseline, levels=levels))
    assert len(html.encode()) < 1_700_000
    assert html.count("levels have charts") == 100 - CHART_LEVELS_MAX


def test_a_level_with_charts_is_a_tenth_of_a_megabyte(baseline: RunMetrics) -> None:
    """So many points as ten levels of the greatest size may have: ten of them fit 2 MB."""
    long = replace(baseline.levels[2], seconds=baseline.levels[2].seconds * 4)
    one = len(render_html(replace(baseline, levels=(long,))).encode())
    none = len(render_html(replace(baseline, levels=())).encode())
    assert one - none < 200_000


def test_the_same_metrics_give_the_same_page(ugly: RunMetrics, ugly_page: str) -> None:
    assert render_html(ugly) == ugly_page


def test_a_validity_looks_the_same_at_the_level_and_at_its_charts(baseline: RunMetrics) -> None:
    """A level that was too short to be tested for drift is valid, above and beside a chart."""
    short = SteadyState(2.0, "too_short", "2 s is too short")
    levels = tuple(replace(level, steady_state=short) for level in baseline.levels)
    html = render_html(replace(baseline, levels=levels))
    tones = re.findall(r'class="verdict (\w+)">valid, drift not tested<', html)
    assert len(tones) > len(levels)
    assert set(tones) == {"good"}


def test_each_answer_is_one_short_line_and_unfolds_the_rest(page: str) -> None:
    """Nothing is lost: every sentence is there, those that fold are in a ``details``."""
    summary = page.partition('<div class="answers">')[2].partition("</section>")[0]
    answers = re.split(r'<(?:details|div) class="answer"', summary)[1:]
    assert len(answers) == 5, "the four, and what failed"
    for one in answers:
        top, _, folded = one.partition('<div class="rest">')
        assert top.count('<span class="short') == 1
        assert one.startswith(" open data-fold><summary>") == bool(folded)
    assert "4 of 5 levels and arms are valid." in answers[0].partition("<div")[0]
    assert "2.1 turnovers" in answers[0].partition("<div")[2]
