"""The newest ten releases of an index, measured by a backfill of the UI, and their history."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from playwright.sync_api import expect

from tests.assets.conftest import instance_of
from tests.package_index import serving
from tests.tiny_kailash import tiny_wheel
from tests.ui.backfills import launch, materialized, open_dialog, wait_for_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.sandbox import Sandbox
    from tests.ui.conftest import Ui

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1500)]

RELEASES = [f"90.{minor}.0" for minor in range(1, 13)]
"""None that the public index has."""

MIN_VALID = 5
"""Of the ten, on a machine that does other things as well."""

MEASURED_S = 1200.0
"""Limit for ten releases, each of which is measured for 12 s."""


@pytest.fixture(scope="module")
def ui_environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An index before the public one, and a cache in which its environments stay apart."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    with serving({release: {} for release in RELEASES}) as index:
        index.package, index.wheel_of = "kailash", tiny_wheel
        yield {
            "UV_INDEX": index.url,
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(cache / "uv"),
            "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
        }


def test_the_newest_ten_releases_are_measured_by_a_backfill_and_stand_in_the_history(
    ui: Ui, page: Page
) -> None:
    """Each in an environment of its own; the job ``releases`` asks the index and fills them.

    A neighbour on the machine may keep one from being steady: that is its verdict, and fails its
    run after it was measured and reported.
    """
    newest, begun = RELEASES[-10:], datetime.now(UTC)
    filled = ui.sandbox.dagster("job", "execute", "-j", "releases")
    assert filled.returncode == 0, filled.stdout
    page.goto(f"{ui.address}locations/perf_pipeline/jobs/release")
    dialog = open_dialog(page)
    dialog.get_by_text("Select a partition").click()
    dialog.get_by_text(f"Select all ({len(newest)})").click()
    page.keyboard.press("Escape")
    launch(dialog)
    wait_for_runs(ui.sandbox, len(newest), begun, MEASURED_S)
    assert materialized(ui.sandbox, "release_measurement") == {*newest}
    verdicts = _verdicts(ui.sandbox)
    valid = [release for release in newest if verdicts[f"kailash=={release}"] == "valid"]
    assert len(valid) >= MIN_VALID, verdicts
    page.goto(f"{ui.address}assets/release_history")
    page.get_by_text("[Show Table]").first.click()
    for release in valid:
        expect(page.get_by_role("dialog").get_by_text(release, exact=True)).to_be_visible()


def _verdicts(sandbox: Sandbox) -> dict[str, str]:
    """Return the verdict of each target that was measured."""
    with instance_of(sandbox.dagster_home) as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name="release"))
    return {run.tags["target"]: run.tags["verdict"] for run in runs}
