"""The report in a real browser: on a phone, on paper, in the dark, and with hostile text."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.report.run.page import render_html
from tests.ui.conftest import Watched
from tests.unit.report.conftest import baseline, empty, ugly  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from perf_pipeline.metrics.types.run_metrics import RunMetrics

    Open = Callable[..., Page]

pytestmark = pytest.mark.integration

CONTRAST_LEAST = 4.5
"""Of text against its background: level AA of the Web Content Accessibility Guidelines 2.1."""

CONTRASTS = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).slice(0, 3).map((part) => part / 255)
      .map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = (element) => {
    const own = getComputedStyle(element).backgroundColor, [, , , alpha = 1] = parts(own);
    if (alpha === 1 || !element.parentElement) return own;
    if (alpha > 0) throw `mixed background ${own}: this test cannot judge it`;
    return paper(element.parentElement);
  };
  const found = {};
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest("script, style, defs")) continue;
    const style = getComputedStyle(element), svg = element.closest("svg");
    const colour = svg ? style.fill : style.color;
    const ground = paper(element), pair = [light(colour), light(ground)];
    found[`${colour} on ${ground}`] = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def pages(baseline: RunMetrics, ugly: RunMetrics, tmp_path_factory: Any) -> Path:  # noqa: F811
    """A folder with an ordinary report and one of a run full of hostile text."""
    folder: Path = tmp_path_factory.mktemp("reports")
    for name, metrics in (("baseline", baseline), ("ugly", ugly)):
        (folder / f"{name}.html").write_text(render_html(metrics), encoding="utf-8")
    return folder


@pytest.fixture
def opened(browser: Browser, pages: Path) -> Iterator[Open]:
    """Open a report in a window of its own, and watch that it asks for nothing."""
    contexts: list[BrowserContext] = []
    watched = Watched()

    def open_page(name: str = "baseline", **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        watched.watch(page)
        page.goto(f"file://{pages / name}.html")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert watched.strangers("file:") == []
    assert watched.wrong == []


@pytest.mark.parametrize("name", ["baseline", "ugly"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_never_wider_than_the_window(opened: Open, name: str, width: int) -> None:
    """Tables scroll inside; with everything unfolded, nothing sticks out of the page."""
    page = opened(name, viewport={"width": width, "height": 800})
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    wide = """() => [...document.querySelectorAll('body *')]
        .filter((one) => !one.closest('.scroll > *, svg')
            && one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(wide) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["baseline", "ugly"])
def test_each_answer_has_at_most_two_lines_on_a_desk_and_the_rest_unfolds(
    opened: Open, name: str
) -> None:
    page = opened(name, viewport={"width": 1440, "height": 900})
    lines = """() => [...document.querySelectorAll('.answer .short')].map((one) =>
        [one.textContent, one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight)])"""
    heights = page.evaluate(lines)
    assert len(heights) >= 4
    assert {text: count for text, count in heights if count > 2.2} == {}
    folded = page.locator(".answer .rest").first
    assert not folded.is_visible()
    page.locator(".answer summary").first.click()
    assert folded.is_visible()


def test_on_a_phone_no_table_has_to_be_scrolled_sideways(opened: Open) -> None:
    """A row of a wide table is a block, each value below the name of its column."""
    page = opened(viewport={"width": 390, "height": 844})
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    wide = """() => [...document.querySelectorAll('.scroll')]
        .filter((one) => one.scrollWidth > one.clientWidth + 1)
        .map((one) => one.ariaLabel)"""
    assert page.evaluate(wide) == []
    throughput = page.locator("#headline [data-column=Throughput]").first
    shown = "one => getComputedStyle(one, '::before').content"
    assert throughput.evaluate(shown) == '"Throughput"'
    assert throughput.bounding_box()["x"] < 390 - 60  # type: ignore[index]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_background(opened: Open, scheme: str) -> None:
    page = opened(color_scheme=scheme)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) >= 4
    assert {colour: at for colour, at in contrasts.items() if at < CONTRAST_LEAST} == {}


def test_the_script_folds_what_is_not_read_first_and_paper_has_it_all(
    opened: Open, tmp_path: Path
) -> None:
    page = opened()
    count = "document.querySelectorAll('details{}').length"
    folded, whole = page.evaluate(count.format(":not([open])")), page.evaluate(count.format(""))
    assert 0 < folded < whole
    paper = tmp_path / "paper.pdf"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(count.format(":not([open])")) == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(count.format(":not([open])")) == folded
    page.evaluate(
        f"addEventListener('beforeprint', () => {{ folded = {count.format(':not([open])')} }})"
    )
    page.pdf(path=str(paper))
    assert page.evaluate("folded") == 0
    assert paper.stat().st_size > 100_000


def test_without_script_everything_is_there_and_open(opened: Open) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator("details:not([open])").count() == 0
    assert page.get_by_text("What the servers counted").first.is_visible()


def test_a_head_sorts_its_table_by_the_value_and_not_by_its_letters(opened: Open) -> None:
    """31.6 ms is less than 1.35 s, and a third time brings back the order of the run."""
    page = opened()
    column = page.locator("#headline table thead th").all_inner_texts().index("Throughput") + 1
    values = page.locator(f"#headline table tbody td:nth-child({column})")
    button = page.get_by_role("button", name="Throughput").first
    written = values.all_inner_texts()
    button.click()
    assert values.all_inner_texts() == ["143/s", "288/s", "331/s", "3,120/s", "8,410/s"]
    button.click()
    assert values.all_inner_texts() == ["8,410/s", "3,120/s", "331/s", "288/s", "143/s"]
    button.click()
    assert values.all_inner_texts() == written


def test_pointing_at_a_chart_tells_the_values_of_that_moment(opened: Open) -> None:
    page = opened()
    chart = page.locator("#level-0 figure[data-points]").nth(2)
    chart.locator("svg").hover()  # its middle
    told = chart.locator(".readout").inner_text()
    assert told.startswith("at ")
    assert "in flight 100" in told


def test_headings_lead_down_one_step_at_a_time_and_every_chart_has_a_name(opened: Open) -> None:
    """What a screen reader goes by: no heading skips a level, no picture is silent."""
    page = opened()
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    depths = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((one) => +one.tagName[1])"
    )
    assert depths[0] == 1
    assert depths.count(1) == 1
    assert max(later - sooner for sooner, later in pairwise(depths)) == 1
    pictures = page.get_by_role("img")
    assert pictures.count() >= 5
    named = """(all) => all.filter((one) => !(one.getAttribute('aria-label')
        ?? one.querySelector(':scope > title')?.textContent ?? '').trim()).length"""
    assert pictures.evaluate_all(named) == 0
    assert (
        page.evaluate("document.querySelectorAll('svg:not([role=img], [aria-hidden])').length") == 0
    )


def test_hostile_text_neither_runs_nor_looks_like_the_page(opened: Open) -> None:
    """No dialog, no request, no element of its own: ``opened`` watches the first two."""
    page = opened("ugly")
    assert page.locator("img, iframe, a[href^='http']").count() == 0
    assert page.locator("script").count() == 1
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).display") == "block"
    assert page.get_by_text("<script>alert('x')</script>").first.is_visible()
