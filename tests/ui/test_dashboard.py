"""The dashboard in a real browser: runs, filters, reports, a run that moves, keyboard, phone."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.dashboard.live_runs import LiveRuns
from perf_pipeline.dashboard.site import Site
from perf_pipeline.metrics.comparison_file import write_comparison
from perf_pipeline.metrics.metrics_file import write_run_metrics
from perf_pipeline.report.comparison.files import write_comparison_pages
from perf_pipeline.report.run.page import render_html
from perf_pipeline.report.run.run_headline import write_headline
from perf_pipeline.report.trend.files import write_trend_page
from perf_pipeline.samples.run_folder import RunFolder
from tests.planted_campaign import write_planted_campaign
from tests.ui.conftest import WAIT_MS, Watched
from tests.ui.test_report_page import CONTRAST_LEAST, CONTRASTS
from tests.unit.dashboard.conftest import raise_alert, serving, write_run
from tests.unit.dashboard.test_live_runs import begin, say
from tests.unit.report.comparison.conftest import hostile, planted  # noqa: F401 - fixtures
from tests.unit.report.conftest import HOSTILE, baseline, empty  # noqa: F401 - fixtures
from tests.unit.report.trend.conftest import falling, hostile_trend  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.trend import Trend

    Open = Callable[..., Page]

pytestmark = pytest.mark.integration

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
"""Hostile text that a database can store."""
LOOKS_EACH_MS = 2000
PAGES = ("", "trends/", "comparisons/", "endurance/", "alerts/", "baselines/", "nothing")


@pytest.fixture(scope="module")
def results(
    baseline: RunMetrics,  # noqa: F811
    empty: RunMetrics,  # noqa: F811
    planted: Comparison,  # noqa: F811
    hostile: Comparison,  # noqa: F811
    falling: Trend,  # noqa: F811
    hostile_trend: Trend,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A results folder with all that the pages show; some of it is full of hostile text."""
    folder = tmp_path_factory.mktemp("dashboard") / "results"
    odd = {"target": HOSTILE, "verdict": HOSTILE, "validity": HOSTILE, "level": HOSTILE}
    for number in range(60):
        write_run(folder, number, verdict="missed" if number % 7 else "met")
    measured = [write_run(folder, number) for number in (100, 101)]
    for root in measured:
        write_run_metrics(RunFolder(root), baseline)
        write_headline(baseline, root)
    (measured[-1] / "report.html").write_text(render_html(empty), encoding="utf-8")
    write_run(folder, 102, status="interrupted", scenario=HOSTILE, **odd)
    write_comparison(folder, planted)
    write_comparison_pages(folder, planted)
    write_comparison(folder, replace(hostile, comparison_id="20260113_093012-4f2c"))
    write_trend_page(folder, falling, ())
    write_trend_page(folder, hostile_trend, ())
    write_planted_campaign(folder)
    raise_alert(folder, measured[-1].name, scenario=MARKUP)
    return folder


@pytest.fixture(scope="module")
def address(results: Path) -> Iterator[str]:
    """Where the dashboard answers."""
    with serving(Site(lambda: [results], LiveRuns(time.time))) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Open]:
    """Open a page of the dashboard, and watch that it asks no other server and throws nothing."""
    contexts: list[BrowserContext] = []
    watched = Watched()

    def open_page(path: str = "", **options: Any) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        context.on("page", watched.watch)
        page = context.new_page()
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert watched.strangers(address) == []
    assert [one for one in watched.wrong if "404" not in one] == []


def test_the_overview_leads_to_the_report_of_a_run_and_its_script_runs(
    opened: Open, results: Path
) -> None:
    page = opened()
    run = sorted(results.glob("2026*"))[-2].name
    row = page.locator(f'tr[id="{run}"]')
    for text in ("kailash", "samples", "ended", "/s"):
        assert text in row.inner_text()
    assert row.locator(".verdict").count() == 2
    row.get_by_role("link", name=f"report of {run}").click()
    page.wait_for_url(f"**/{run}/report.html")
    assert page.locator("details:not([open])").count() > 0, "the report's own script did not run"
    assert page.evaluate("origin") == "null", "a report can read the pages of the dashboard"


def test_runs_are_filtered_with_the_keyboard_alone(opened: Open) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.get_by_label("Verdict").focus()
    page.keyboard.type("missed")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**verdict=missed**")
    verdicts = page.locator("#runs td[data-column=Verdict]").all_inner_texts()
    assert len(verdicts) == 50
    assert {one.strip().splitlines()[-1] for one in verdicts} == {"missed"}
    page.get_by_role("link", name="older runs").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**page=2")
    assert page.get_by_label("Verdict").input_value() == "missed"


def test_a_trend_and_a_stored_comparison_are_a_link_away(opened: Open) -> None:
    page = opened("trends/")
    page.get_by_role("link", name="baseline on kailash").click()
    page.wait_for_url("**/trends/*.html")
    assert page.get_by_text("Change points").first.is_visible()
    page = opened("comparisons/")
    page.locator("#comparisons tbody a").first.click()
    page.wait_for_url("**/comparisons/*.html")
    assert page.locator("h1").is_visible()


def test_two_runs_that_a_reader_chooses_are_compared(opened: Open, results: Path) -> None:
    page = opened()
    older, newer = (path.name for path in sorted(results.glob("2026*"))[-3:-1])
    page.get_by_role("link", name=f"compare {newer}").click()
    page.get_by_label("Baseline, the older run").select_option(older)
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare?*")
    assert f"{newer} against {older}" in page.locator("h1").inner_text()


def test_a_run_that_goes_on_moves_while_the_rest_of_the_page_stays(
    opened: Open, address: str, results: Path
) -> None:
    """It appears, moves and leaves without a load of the page, and the focus stays."""
    page = opened("healthz")
    page.clock.install()
    page.goto(address)
    page.evaluate("window.same = true")
    page.get_by_label("Target").focus()
    live = page.locator("#live article")
    assert live.count() == 0
    run = begin(results)
    try:
        say(run, 1400)
        page.clock.fast_forward(LOOKS_EACH_MS)
        live.wait_for()
        say(run, 2800, failed=7)
        page.clock.fast_forward(LOOKS_EACH_MS)
        page.locator("#live", has_text="2,800 at this level").wait_for()
        assert "7" in live.inner_text()
        assert page.evaluate("document.activeElement.name") == "target"
    finally:
        run.end("complete")
    page.clock.fast_forward(LOOKS_EACH_MS)
    live.wait_for(state="detached")
    assert page.evaluate("window.same")


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_every_page_fits_its_window_can_be_read_and_runs_nothing_of_hostile_names(
    opened: Open, address: str, width: int, scheme: str
) -> None:
    """No dialog, no request, no element of its own: ``opened`` watches the first two."""
    page = opened("healthz", viewport={"width": width, "height": 800}, color_scheme=scheme)
    scrolled = """() => [...document.querySelectorAll('.scroll')]
        .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.ariaLabel)"""
    for path in PAGES:
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert width > 360 or page.evaluate(scrolled) == [], path
        contrasts = page.evaluate(CONTRASTS)
        assert {colour: at for colour, at in contrasts.items() if at < CONTRAST_LEAST} == {}, path
        assert page.locator("img, iframe, a[href^='http']").count() == 0
        assert page.locator("script").count() == (1 if path == "" else 0)
        assert page.locator("h1").count() == 1
    page.goto(address)
    assert page.locator("tbody").get_by_text("<script>alert('x')</script>").first.is_visible()
