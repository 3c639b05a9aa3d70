"""``python -m tests.ui.pictures RESULTS FOLDER``: take the README's pictures into a folder.

``report.png`` is the top of the latest report in RESULTS, so it shows what was measured last;
``lineage.png`` is the Dagster UI after a run of a second in a folder of its own.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.infrastructure.port import is_free
from tests.integration.traces import some_ports
from tests.sandbox import Sandbox, until
from tests.ui.conftest import WAIT_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser, Page

LARGEST_BYTES = 300_000
"""Every clone of the project has them."""
REPORT, LINEAGE = "report.png", "lineage.png"
_STARTS_WITHIN_S = 120
_LAST_ASSET = "run_report"


def latest_report(results: Path) -> Path:
    """Return the report of the latest run that has one.

    Raises:
        PerfPipelineError: There is none.
    """
    reports = sorted(results.glob("*/report.html"))  # a run's name begins with its time
    if not reports:
        raise PerfPipelineError(
            f"no run in {results} has a report, so there is nothing to take a picture of; "
            "measure first: make baseline"
        )
    return reports[-1]


def take_report(browser: Browser, report: Path, picture: Path) -> None:
    """Take the top of a report, as it stands in a window."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, color_scheme="light")
    page.goto(report.resolve().as_uri())
    _take(page, picture)


def take_lineage(browser: Browser, picture: Path) -> None:
    """Take the lineage graph of the Dagster UI after a short run on the control target.

    Raises:
        PerfPipelineError: The run or the UI did not come about.
    """
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-picture-") as folder:
        sandbox = Sandbox(Path(folder))
        try:
            ended = sandbox.cli("run", sandbox.scenario("picture"), "--accept-verdicts")
            if ended.returncode:
                raise PerfPipelineError(f"the run for the picture failed:\n{ended.stderr}")
            page = browser.new_page(viewport={"width": 1500, "height": 640})
            page.set_default_timeout(WAIT_MS)
            page.goto(f"{_start_ui(sandbox)}asset-groups")
            page.get_by_text("infrastructure", exact=True).first.wait_for()
            page.keyboard.press("Alt+e")  # unfolds all groups
            expect(page.get_by_text(_LAST_ASSET, exact=True).first).to_be_visible()
            page.wait_for_timeout(4000)
            _take(page, picture)
        finally:
            sandbox.close()


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise PerfPipelineError("no chromium on this machine (Debian: apt-get install chromium)")
    return found


def _start_ui(sandbox: Sandbox) -> str:
    """Start the UI on ports of its own; returns its address."""
    port, reports_port = some_ports()[1:3]
    sandbox.environ["PERF_PIPELINE_REPORTS_PORT"] = str(reports_port)
    log = sandbox.folder / "ui.out"
    process = sandbox.start("python", "-m", "assets.ui", "--port", str(port), log=log)
    until(lambda: not is_free(port) or process.poll() is not None, _STARTS_WITHIN_S)
    if is_free(port):
        said = log.with_suffix(".err").read_text(encoding="utf-8")
        raise PerfPipelineError(f"the UI did not start within {_STARTS_WITHIN_S} s:\n{said}")
    return f"http://127.0.0.1:{port}/"


def _take(page: Page, picture: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=picture, animations="disabled")
    taken = picture.stat().st_size
    page.close()
    if taken > LARGEST_BYTES:
        raise PerfPipelineError(f"{picture} has {taken} bytes; at most {LARGEST_BYTES} are wanted")


def main(arguments: Sequence[str]) -> int:
    """Take both pictures; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.ui.pictures", description=__doc__)
    parser.add_argument("results", type=Path, help="folder of the runs")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    given = parser.parse_args(arguments)
    try:
        report, chromium = latest_report(given.results), _chromium()
        given.folder.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as started:
            # A container has no sandbox to give.
            browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            take_report(browser, report, given.folder / REPORT)
            take_lineage(browser, given.folder / LINEAGE)
    except PerfPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stderr.write(f"{REPORT} of {report}, and {LINEAGE}, are in {given.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
