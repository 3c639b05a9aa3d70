"""The Dagster UI in a real browser: the pipeline, a run from the launchpad, a failed gate.

One UI is for all of it, since it takes 20 s to start. The tests of the failed gate stand last: what
the pages of assets show is of the newest run.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from perf_pipeline.config.slo.slo import parse_slo
from tests.assets.conftest import latest
from tests.assets.endurance.soak_scenario import soak_campaign
from tests.integration.monitoring.test_surfaces import beyond_loopback, listeners
from tests.sandbox import WAIT_S, until
from tests.simulated_run import write_run
from tests.ui.backfills import HOURLY, last_hours, launch_hours, played_in_order, wait_for_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator

    from tests.ui.conftest import Ui

pytestmark = pytest.mark.integration

GROUPS = {
    "infrastructure": ("host_facts", "servers", "seeded_data"),
    "scenarios": ("load_run",),
    "metrics": ("run_metrics",),
    "analysis": (
        *("kpi_verdicts", "metric_history"),
        *("fault_timeline", "fault_evidence", "recovery_table"),
    ),
    "reporting": ("run_report",),
}
"""In the order in which data flows through them."""

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> ![p](http://evil.example/p.png) "
    "[l](javascript:alert(3)) {{7*7}}"
)
SHOP = f"""
import time

def order(number):
    time.sleep(0.01)
    if number % 7 == 3:
        raise RuntimeError({HOSTILE!r})
"""
ORDERS = f"""
title = '{HOSTILE}'
target = "callable"
python_path = "."
concurrency = [2]
[[workload]]
function = "shop:order"
[phases]
ramp_up_s = 0.2
warm_up_s = 0.2
steady_s = %s
"""

MISSED = "20260114_093012-4f2c"
REASON = "objective missed: p50_s <= 0.01 at 10: "
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Launched:
    """A run that was launched from the launchpad.

    Attributes:
        while_going: The log line about the level that the page showed before the run had ended.
        folder: Where it was recorded.
        metrics: Its ``metrics.json``.
    """

    while_going: str
    folder: Path
    metrics: dict[str, Any]


@pytest.fixture(scope="module")
def launched(ui: Ui, browser: Browser) -> Launched:
    """A short run, hostile in title and error texts, that has ended."""
    context = ui.window(browser)
    page = context.new_page()
    _launch(ui, page, "short", steady_s=6)
    going = page.get_by_text(re.compile("level 2, (cold|ramp|warm|steady)")).first
    expect(going).to_be_visible(timeout=1000 * WAIT_S)
    while_going = going.inner_text()
    success = page.get_by_text("Success", exact=True).first
    expect(success).to_be_visible(timeout=1000 * WAIT_S)
    context.close()
    folder = ui.sandbox.run_folders()[-1]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return Launched(while_going, folder, metrics)


@pytest.fixture(scope="module")
def missed(ui: Ui) -> Path:
    """A run whose objective is missed, recorded from another results folder than the UI's own."""
    elsewhere = ui.sandbox.folder / "elsewhere"
    folder = write_run(elsewhere, MISSED, slos=(parse_slo("p50_s < 0.01"),)).root
    fields = {"recorded": str(folder)}
    config = ui.sandbox.folder / "recorded.json"
    config.write_text(json.dumps({"resources": {"load_run_resource": {"config": fields}}}))
    ran = ui.sandbox.dagster("job", "execute", "-j", "recorded", "-c", str(config))
    assert ran.returncode == 1, ran.stdout
    return folder


@pytest.fixture
def listed(ui: Ui, missed: Path) -> Iterator[Path]:
    """The same run in the results folder of the UI, whose list has no run of another folder."""
    copy = ui.sandbox.results / MISSED
    shutil.copytree(missed, copy)
    yield copy
    shutil.rmtree(copy)


def test_the_lineage_reads_from_the_servers_to_the_report(ui: Ui, page: Page) -> None:
    """Groups stand from left to right; unfolded, in a window that fits, they hold every asset."""
    page.set_viewport_size({"width": 2880, "height": 4000})
    page.goto(f"{ui.address}asset-groups")
    at = [_in_graph(page, group) for group in GROUPS]
    assert at == sorted(at), dict(zip(GROUPS, at, strict=True))
    page.keyboard.press("Alt+e")
    for asset in (asset for assets in GROUPS.values() for asset in assets):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()


def test_the_ui_and_all_that_it_starts_listen_on_loopback_alone(ui: Ui) -> None:
    found = listeners(ui.sandbox)
    assert {f"127.0.0.1 {ui.port}", f"127.0.0.1 {ui.reports_port}"} <= found.keys()
    assert beyond_loopback(found) == {}


def test_what_puts_load_on_the_machine_by_itself_is_off(ui: Ui, page: Page) -> None:
    """Clearing up after a run that was killed, failed or cancelled is on: it puts none."""
    page.goto(f"{ui.address}automation")
    for name in ("killed_runs", "clear_after_failure", "clear_after_cancel"):
        expect(_switch(page, name)).to_be_checked()
    heavy = ("nightly_baseline", "weekly_stress", "endurance_current_hour", "new_target_version")
    for name in heavy:
        expect(_switch(page, name)).not_to_be_checked()


def test_the_page_of_a_run_says_where_its_level_stands(launched: Launched) -> None:
    assert re.fullmatch(
        r"level 2, \w+: \d+ done, [0-2] in flight, [\d.]+/s, \d+ failed", launched.while_going
    )


def test_a_materialization_shows_validity_numbers_and_charts(
    ui: Ui, page: Page, launched: Launched
) -> None:
    page.goto(f"{ui.address}assets/run_metrics")
    assert _value(page, "validity").inner_text() == launched.metrics["validity"]
    (level,) = launched.metrics["levels"]
    assert f"{level['service_times']['samples']:,}" in _value(page, "levels").inner_text()
    _value(page, "over time 2").get_by_text("[Show Markdown]").click()
    charts = page.get_by_role("dialog").locator("img")
    expect(charts).to_have_count(2)
    for chart in charts.all():
        assert chart.evaluate("one => one.complete && one.naturalWidth") > 300
        assert chart.get_attribute("alt")


def test_a_check_says_what_failed_with_the_words_of_the_error_and_nothing_of_them_runs(
    ui: Ui, page: Page, launched: Launched
) -> None:
    page.goto(f"{ui.address}assets/run_metrics?view=checks")
    page.get_by_text("no_errors").first.click()
    (level,) = launched.metrics["levels"]
    says = page.locator("p").filter(has_text=f"{level['outcomes']['error']} of ")
    expect(says).to_contain_text(f"RuntimeError: {HOSTILE}")
    expect(page.get_by_text("What to do: see the classes")).to_be_visible()
    _assert_inert(page)


def test_the_report_is_a_link_away_and_the_title_of_a_scenario_stays_text_in_it(
    ui: Ui, page: Page, launched: Launched
) -> None:
    """In the report itself, and in its summary as Markdown, which the UI renders."""
    report = _linked_report(ui, page, launched.folder.name)
    expect(report.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(report.locator("body")).to_contain_text(launched.folder.name)
    _assert_inert(report)
    _value(page, "summary").get_by_text("[Show Markdown]").click()
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
    expect(page.get_by_role("dialog")).to_contain_text(launched.folder.name)
    _assert_inert(page)


def test_a_backfill_plays_the_hours_of_a_campaign_in_order_on_one_target(
    ui: Ui, page: Page
) -> None:
    """From the page of the job; hours of 2 s here, and of 10 s in test_endurance_backfill.py."""
    partitions, begun = last_hours(3), datetime.now(UTC)
    with soak_campaign(ui.sandbox, hours=3, hour_seconds=2.0) as folder:
        page.goto(f"{ui.address}{HOURLY}")
        launch_hours(page, partitions)
        assert wait_for_runs(ui.sandbox, 3, begun, WAIT_S) == {"SUCCESS": 3}
    assert played_in_order(folder, partitions).verdicts is not None
    page.goto(f"{ui.address}assets/endurance_hour?view=partitions&partition={partitions[-1]}")
    expect(page.get_by_text("throughput_per_s").first).to_be_visible()


@pytest.mark.slow
def test_a_run_terminated_in_the_ui_says_on_its_assets_page_what_was_kept(
    ui: Ui, page: Page
) -> None:
    before = len(ui.sandbox.run_folders())
    _launch(ui, page, "long", steady_s=120)
    folder = ui.sandbox.wait_until_steady(ui.process, runs_before=before)
    expect(page.get_by_text(re.compile("level 2, ")).first).to_be_visible()
    page.get_by_role("button", name="Terminate").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Terminate").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Canceled", exact=True).first).to_be_visible()
    assert until(lambda: ui.sandbox.own_record(folder)["status"] == "interrupted", 20)
    page.goto(f"{ui.address}assets/load_run?view=events")
    expect(page.get_by_text(f"Run {folder.name} is interrupted. Kept: ").first).to_be_visible()
    expect(page.get_by_text(f"perf-pipeline report '{folder}'").first).to_be_visible()


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
    expect(_linked_report(ui, page, MISSED).locator("body")).to_contain_text(MISSED)
    expect(page.get_by_text(str(missed / "report.html")).first).to_be_visible()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_list_of_all_runs_fits_a_desk_and_a_phone(
    ui: Ui, browser: Browser, missed: Path, listed: Path, size: dict[str, int]
) -> None:
    context = browser.new_context(viewport={"width": size["width"], "height": size["height"]})
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{ui.reports_port}/")
    row = page.locator(f'tr[id="{MISSED}"]')
    expect(page.locator("body")).to_contain_text(str(listed.parent))
    expect(page.locator("body")).not_to_contain_text(str(missed.parent))
    for text in ("control", "missed", "/s", MISSED):
        expect(row).to_contain_text(text)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    row.get_by_role("link", name=f"report of {MISSED}").click()
    expect(page.locator("body")).to_contain_text(MISSED)
    context.close()


def _launch(ui: Ui, page: Page, name: str, steady_s: float) -> None:
    """Launch a scenario from the launchpad, whose text is what the form would write."""
    folder = ui.sandbox.folder
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    (folder / f"{name}.toml").write_text(ORDERS % steady_s, encoding="utf-8")
    config = {"scenario": str(folder / f"{name}.toml")}
    page.goto(f"{ui.address}locations/perf_pipeline/jobs/scenario/playground")
    editor = page.locator(".CodeMirror").first
    expect(editor).to_contain_text("baseline")
    editor.locator(".CodeMirror-lines").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(json.dumps({"resources": {"load_run_resource": {"config": config}}}))
    expect(editor).to_contain_text(name)
    expect(page.get_by_text("No errors")).to_be_visible()
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url("**/runs/*")


def _in_graph(page: Page, group: str) -> float:
    """Return how far to the right a group stands in the graph, and not in the list beside it."""
    node = page.locator(f"[data-tooltip='{group}']")
    expect(node).to_be_visible()
    box = node.bounding_box()
    assert box is not None
    return box["x"]


def _switch(page: Page, name: str) -> Locator:
    """Return the switch of a schedule or sensor; the first box of its row selects it."""
    boxes = page.locator("[data-index]").filter(has_text=name).get_by_role("checkbox")
    expect(boxes).to_have_count(2)
    return boxes.last


def _value(page: Page, key: str) -> Locator:
    """Return the cell of an asset's metadata."""
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=key, exact=True))
    return row.first.locator(":scope > td").last


def _linked_report(ui: Ui, page: Page, run: str) -> Page:
    """Open the page of the asset, follow its link to a run's report, and return that."""
    page.goto(f"{ui.address}assets/run_report")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=f"{run}/report.html").last.click()
    return opened.value


def _assert_inert(page: Page) -> None:
    """``page`` itself fails on a dialog, or on a request for a stranger's image."""
    assert page.locator("img[src='x'], img[src*='evil'], a[href^='javascript']").count() == 0
