"""The pages of a comparison and of a history in a browser: on a phone, on paper, in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.report.comparison.page import render_html as render_comparison
from perf_pipeline.report.trend.page import drawn_levels
from perf_pipeline.report.trend.page import render_html as render_trend
from tests.ui.test_report_page import CONTRAST_LEAST, CONTRASTS, opened  # noqa: F401 - a fixture
from tests.unit.report.comparison.conftest import hostile, planted  # noqa: F401 - fixtures
from tests.unit.report.conftest import baseline  # noqa: F401 - a fixture
from tests.unit.report.trend.conftest import falling, hostile_trend  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.trend import Trend
    from tests.ui.test_report_page import Open

pytestmark = pytest.mark.integration

NAMES = ("comparison", "comparison-hostile", "trend", "trend-hostile")
UNFOLD = "for (const fold of document.querySelectorAll('details')) fold.open = true"


@pytest.fixture(scope="module")
def pages(
    planted: Comparison,  # noqa: F811
    hostile: Comparison,  # noqa: F811
    falling: Trend,  # noqa: F811
    hostile_trend: Trend,  # noqa: F811
    baseline: RunMetrics,  # noqa: F811
    tmp_path_factory: Any,
) -> Path:
    """A folder with both pages, ordinary and full of hostile text."""
    folder: Path = tmp_path_factory.mktemp("pages")
    written = {
        "comparison": render_comparison(planted, [baseline], [baseline], reported={"r-1"}),
        "comparison-hostile": render_comparison(hostile),
        "trend": render_trend(falling, drawn_levels(falling), reported={falling.runs[0].run_id}),
        "trend-hostile": render_trend(hostile_trend, drawn_levels(hostile_trend)),
    }
    for name, page in written.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_the_page_is_never_wider_than_the_window(
    opened: Open,  # noqa: F811
    name: str,
    width: int,
) -> None:
    page = opened(name, viewport={"width": width, "height": 844})
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["comparison", "trend"])
def test_on_a_phone_no_table_has_to_be_scrolled_sideways(opened: Open, name: str) -> None:  # noqa: F811
    page = opened(name, viewport={"width": 390, "height": 844})
    page.evaluate(UNFOLD)
    wide = """() => [...document.querySelectorAll('.scroll')]
        .filter((one) => one.scrollWidth > one.clientWidth + 1)
        .map((one) => one.ariaLabel)"""
    assert page.evaluate(wide) == []


@pytest.mark.parametrize("name", NAMES)
def test_verdict_and_what_to_do_are_on_top_in_two_lines_each(
    opened: Open,  # noqa: F811
    name: str,
) -> None:
    page = opened(name, viewport={"width": 1440, "height": 900})
    lines = """() => [...document.querySelectorAll('.answer .short')].map((one) =>
        one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight))"""
    heights = page.evaluate(lines)
    assert len(heights) == 2
    assert max(heights) <= 2.2


@pytest.mark.parametrize("name", ["comparison", "trend"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_background(
    opened: Open,  # noqa: F811
    name: str,
    scheme: str,
) -> None:
    contrasts = opened(name, color_scheme=scheme).evaluate(CONTRASTS)
    assert {colour: at for colour, at in contrasts.items() if at < CONTRAST_LEAST} == {}


@pytest.mark.parametrize("name", ["comparison", "trend"])
def test_paper_has_what_is_folded_on_the_screen(
    opened: Open,  # noqa: F811
    name: str,
    tmp_path: Path,
) -> None:
    page = opened(name)
    page.evaluate(
        "addEventListener('beforeprint', () => { folded = document.querySelectorAll("
        "'details:not([open])').length })"
    )
    paper = tmp_path / "paper.pdf"
    page.pdf(path=str(paper))
    assert page.evaluate("folded") == 0
    assert paper.stat().st_size > 20_000


@pytest.mark.parametrize("name", ["comparison-hostile", "trend-hostile"])
def test_hostile_text_neither_runs_nor_looks_like_the_page(opened: Open, name: str) -> None:  # noqa: F811
    page = opened(name)
    assert page.locator("img, iframe, a[href^='http']").count() == 0
    assert page.locator("script").count() == 1
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).display") == "block"
