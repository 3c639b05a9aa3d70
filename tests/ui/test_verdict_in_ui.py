"""A failed gate in the browser: the run list, the run's page, its numbers, the list of all runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from perf_pipeline.config.slo.slo import parse_slo
from tests.assets.conftest import latest
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.ui.conftest import Ui

pytestmark = pytest.mark.integration

RUN_ID = "20260114_093012-4f2c"
REASON = "objective missed: p50_s <= 0.01 at 10: "
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def missed(ui: Ui) -> Path:
    """A run whose objective is missed, recorded from another results folder than the UI's own."""
    elsewhere = ui.sandbox.folder / "elsewhere"
    folder = write_run(elsewhere, RUN_ID, slos=(parse_slo("p50_s < 0.01"),)).root
    fields = {"recorded": str(folder)}
    config = ui.sandbox.folder / "recorded.json"
    config.write_text(json.dumps({"resources": {"load_run_resource": {"config": fields}}}))
    ran = ui.sandbox.dagster("job", "execute", "-j", "recorded", "-c", str(config))
    assert ran.returncode == 1, ran.stdout
    return folder


def test_the_run_list_says_failure_scenario_target_and_verdict(
    ui: Ui, page: Page, missed: Path
) -> None:
    assert missed.exists()
    page.set_viewport_size(DESK)
    page.goto(f"{ui.address}runs")
    expect(page.get_by_text("Failure").first).to_be_visible()
    for tag in ("scenario: simulated", "target: control", "verdict: missed"):
        expect(page.get_by_text(tag).first).to_be_visible()
    assert page.get_by_text("perf_pipeline").count() == 0


def test_the_page_of_a_failed_run_has_the_reason_and_no_stack_trace(
    ui: Ui, page: Page, missed: Path
) -> None:
    run = latest(ui.sandbox.dagster_home).run
    page.set_viewport_size(DESK)
    page.goto(f"{ui.address}runs/{run.run_id}?logFileKey=&logs=")
    expect(page.get_by_text(REASON).first).to_be_visible()
    assert page.get_by_text("Stack Trace").count() == 0
    assert page.get_by_text("Traceback").count() == 0
    assert missed.exists()


def test_p50_and_p99_of_a_level_are_in_view_on_a_desk(ui: Ui, page: Page, missed: Path) -> None:
    assert missed.exists()
    page.set_viewport_size(DESK)
    page.goto(f"{ui.address}assets/run_metrics")
    for column in ("throughput", "p50", "p99", "errors"):
        heading = page.get_by_role("columnheader", name=column, exact=True).first
        expect(heading).to_be_visible()
        box = heading.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= DESK["width"], column


def test_a_wrong_target_cannot_be_launched(ui: Ui, page: Page) -> None:
    """The launchpad says where and what, and its button does nothing."""
    page.goto(f"{ui.address}locations/perf_pipeline/jobs/baseline/playground")
    editor = page.locator(".CodeMirror").first
    for shown in ("scenario: baseline", "target: kailash", "concurrency:", "gate:"):
        expect(editor).to_contain_text(shown)
    editor.locator(".CodeMirror-lines").click()
    page.keyboard.press("Control+A")
    config = {"scenario": "baseline", "target": "kailsh"}
    page.keyboard.insert_text(json.dumps({"resources": {"load_run_resource": {"config": config}}}))
    expect(page.get_by_text("kailsh").last).to_be_visible()
    expect(page.get_by_role("button", name="Launch Run")).to_be_disabled()


def test_the_report_of_a_run_elsewhere_and_the_list_of_all_runs_are_links_away(
    ui: Ui, page: Page, missed: Path
) -> None:
    page.goto(f"{ui.address}assets/run_report")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=f"{RUN_ID}/report.html").last.click()
    expect(opened.value.locator("body")).to_contain_text(RUN_ID)
    expect(page.get_by_text(str(missed / "report.html")).first).to_be_visible()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_list_of_all_runs_fits_a_desk_and_a_phone(
    ui: Ui, browser: Browser, missed: Path, size: dict[str, int]
) -> None:
    context = browser.new_context(viewport={"width": size["width"], "height": size["height"]})
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{ui.reports_port}/")
    row = page.locator(f'tr[id="{RUN_ID}"]')
    for text in ("control", "missed", "/s", str(missed)):
        expect(row).to_contain_text(text)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    row.get_by_role("link", name="report").click()
    expect(page.locator("body")).to_contain_text(RUN_ID)
    context.close()
