"""A browser, and the Dagster UI as ``make ui`` starts it, on ports and in folders of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.servers.lifecycle.port import is_free
from tests.integration.runs.traces import some_ports
from tests.sandbox import Sandbox, until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

STARTS_WITHIN_S = 120
WAIT_MS = 30_000
"""Limit for what the UI shows; a shared machine is slow."""

QUICK_QUEUE = """
run_coordinator:
  module: dagster._core.run_coordinator
  class: QueuedRunCoordinator
  config:
    dequeue_interval_seconds: 1
"""
"""By default Dagster looks every 5 s for runs in its queue."""


@dataclass
class Watched:
    """Requests and errors of pages.

    Attributes:
        asked: The address of every request.
        wrong: Errors of the console, uncaught exceptions and dialogs.
    """

    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Record requests and errors of a page from now on."""
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))

    def strangers(self, *allowed: str) -> list[str]:
        """Return the requests that went elsewhere than to addresses beginning with these."""
        return [url for url in self.asked if not url.startswith(("data:", "blob:", *allowed))]


@dataclass
class Ui:
    """``make ui``, running.

    Attributes:
        sandbox: Where its history and the results are.
        port: Of the UI.
        reports_port: Of the reports.
        process: It, to see whether it still runs.
    """

    sandbox: Sandbox
    port: int
    reports_port: int
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Start it, also anew once it has ended, and wait until it listens."""
        command = ("python", "-m", "assets.ui", "--port", str(self.port))
        self.process = self.sandbox.start(*command, log=self.sandbox.folder / "ui.out")
        listens = until(
            lambda: not is_free(self.port) or self.process.poll() is not None, STARTS_WITHIN_S
        )
        assert listens, f"the UI does not listen within {STARTS_WITHIN_S} s"
        failed = (self.sandbox.folder / "ui.err").read_text(encoding="utf-8")
        assert self.process.poll() is None, failed

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/"

    def window(self, browser: Browser) -> BrowserContext:
        """Open a window, wide as on a desk."""
        context = browser.new_context(viewport={"width": 1500, "height": 950})
        context.set_default_timeout(WAIT_MS)
        return context


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of this machine, without a sandbox of its own: a container has none to give.

    Playwright leaves an event loop running in this thread, which tests of coroutines that follow
    in the same process must not find: it ends with the file.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    playwright.expect.set_options(timeout=WAIT_MS)
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def ui_environ() -> dict[str, str]:
    """Return variables of the UI and its runs, for a file that needs some."""
    return {}


@pytest.fixture(scope="module")
def ui(
    browser: Browser, ui_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ui]:
    """One Dagster UI for all tests of a file, which looks every second for runs in its queue.

    The browser is a dependency, so that nothing is started where there is none.
    """
    assert browser.is_connected()
    sandbox = Sandbox(tmp_path_factory.mktemp("ui"))
    port, reports_port = some_ports()[1:3]
    sandbox.environ |= {"PERF_PIPELINE_REPORTS_PORT": str(reports_port), **ui_environ}
    with (sandbox.dagster_home / "dagster.yaml").open("a", encoding="utf-8") as config:
        config.write(QUICK_QUEUE)
    made = Ui(sandbox, port, reports_port)
    try:
        made.start()
        yield made
    finally:
        sandbox.close()


@pytest.fixture
def page(ui: Ui, browser: Browser) -> Iterator[Page]:
    """A page that must ask no other server, throw nothing and open no dialog."""
    watched, context = Watched(), ui.window(browser)
    context.on("page", watched.watch)  # those that a link opens as well
    yield context.new_page()
    context.close()
    assert watched.strangers(ui.address, f"http://127.0.0.1:{ui.reports_port}/") == []
    assert watched.wrong == []
