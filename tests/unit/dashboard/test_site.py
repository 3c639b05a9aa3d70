"""Every page says what is there, or what to do where nothing is; none of them writes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

from perf_pipeline.catalogue.baselines import PinnedBaseline
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.dashboard import chosen_comparison
from perf_pipeline.dashboard.catalogue_rows import catalogue_rows
from perf_pipeline.dashboard.linked_pages import OtherPage
from perf_pipeline.metrics.comparison_file import write_comparison
from perf_pipeline.metrics.metrics_file import write_run_metrics
from perf_pipeline.report.comparison.files import write_comparison_pages
from perf_pipeline.report.trend.files import write_trend_page
from perf_pipeline.samples.run_folder import RunFolder
from tests.planted_campaign import CAMPAIGN_ID, write_planted_campaign
from tests.unit.dashboard.conftest import page_of, raise_alert, site_of, write_run
from tests.unit.report.comparison.conftest import planted  # noqa: F401 - a fixture
from tests.unit.report.conftest import baseline  # noqa: F401 - a fixture
from tests.unit.report.trend.conftest import falling  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.trend import Trend

PAGES = ("/", "/live", "/trends/", "/comparisons/", "/endurance/", "/alerts/", "/baselines/")


def contents(folder: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_without_any_run_every_page_says_how_to_get_one(tmp_path: Path) -> None:
    for results in (tmp_path / "missing", tmp_path):
        told = {page: page_of(site_of(results), page) for page in PAGES}
        for page, command in (
            ("/", "perf-pipeline run baseline"),
            ("/trends/", "perf-pipeline history"),
            ("/comparisons/", "perf-pipeline compare"),
            ("/endurance/", "perf-pipeline run endurance"),
            ("/alerts/", "perf-pipeline catalogue add"),
            ("/baselines/", "perf-pipeline baseline pin"),
        ):
            assert f"<code>{command}" in told[page]
    assert contents(tmp_path) == {}


def test_no_page_changes_anything_in_the_results_folder(tmp_path: Path) -> None:
    run = write_run(tmp_path, 1)
    raise_alert(tmp_path, run.name)
    write_planted_campaign(tmp_path)
    before = contents(tmp_path)
    site = site_of(tmp_path)
    for page in (*PAGES, f"/compare?baseline={run.name}&candidate={run.name}"):
        assert site.answer(page).body
    assert contents(tmp_path) == before


def test_an_open_alert_is_on_the_overview_and_leads_to_the_first_bad_run(tmp_path: Path) -> None:
    run = write_run(tmp_path, 1)
    raise_alert(tmp_path, run.name)
    for page in ("/", "/alerts/"):
        told = page_of(site_of(tmp_path), page)
        assert f'<a href="/{run.name}/report.html">{run.name}</a>' in told
        assert "major, confirmed" in told
        assert "P99 latency at 100, kailash: +40.0 % (+30.0 % to +50.0 %)" in told


def test_a_catalogue_that_cannot_be_read_is_named_and_hides_no_run(tmp_path: Path) -> None:
    """Damaged, of another version, a link: none is repaired, migrated or followed."""
    older, damaged, linked = (tmp_path / name for name in ("older", "damaged", "linked"))
    for folder in (older, damaged, linked):
        write_run(folder, 1)
    open_catalogue(older)
    engine = create_engine(f"sqlite:///{older / 'catalogue.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE catalogue_version SET version_num = '0001'"))
    (damaged / "catalogue.sqlite").write_bytes(b"no database" * 1000)
    (linked / "catalogue.sqlite").symlink_to(older / "catalogue.sqlite")
    for folder, told in (
        (older, "catalogue show"),
        (damaged, "is damaged"),
        (linked, "no regular file"),
    ):
        found = catalogue_rows([folder])
        assert told in found.damaged[0]
        page = page_of(site_of(folder), "/")
        assert "What cannot be read" in page
        assert "1 of 1 run" in page


def test_a_pinned_baseline_leads_to_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(tmp_path, 1)
    open_catalogue(tmp_path)
    pinned = PinnedBaseline("stable", "s", "m", "2026-01-14T00:00:00+00:00", "why", (run.name, "x"))
    module = "perf_pipeline.dashboard.catalogue_rows.list_baselines"
    monkeypatch.setattr(module, lambda _catalogue: (pinned,))
    told = page_of(site_of(tmp_path), "/baselines/")
    assert "pinned:stable" in told
    assert f'<a href="/{run.name}/report.html">' in told
    assert "<div>x</div>" in told


def test_a_campaign_is_listed_with_its_verdicts_and_what_they_are_evidence_of(
    tmp_path: Path,
) -> None:
    write_planted_campaign(tmp_path)
    cut = tmp_path / "endurance-20260115_093012-4f2c"
    cut.mkdir()
    (cut / "campaign.json").write_text("{", encoding="utf-8")
    told = page_of(site_of(tmp_path), "/endurance/")
    assert CAMPAIGN_ID in told
    for words in ("leak", "scaled hours", "5 of 6 hours"):
        assert words in told
    assert str(cut) in told


def test_two_runs_are_compared_without_storing_anything(
    tmp_path: Path,
    baseline: RunMetrics,  # noqa: F811
) -> None:
    first, second = (write_run(tmp_path, number) for number in (1, 2))
    for root in (first, second):
        write_run_metrics(RunFolder(root), baseline)
    before = contents(tmp_path)
    answer = site_of(tmp_path).answer(f"/compare?baseline={first.name}&candidate={second.name}")
    told = answer.body.decode()
    assert answer.status == 200
    assert f"{second.name} against {first.name}" in told
    assert f'href="../{first.name}/report.html"' in told
    assert contents(tmp_path) == before
    kept = chosen_comparison._page.cache_info()
    site_of(tmp_path).answer(f"/compare?baseline={first.name}&candidate={second.name}")
    assert chosen_comparison._page.cache_info().hits == kept.hits + 1


def test_runs_that_cannot_be_compared_are_refused_with_the_reason(tmp_path: Path) -> None:
    first, second = (write_run(tmp_path, number).name for number in (1, 2))
    os.symlink(tmp_path / first, tmp_path / "linked")  # noqa: PTH211 - shorter
    for sides, why in (
        (f"baseline={first}&candidate={first}", "on both sides"),
        (f"baseline={first}&candidate={second}", "no stored metrics"),
        (f"baseline={first}&candidate=../x", "no run"),
        (f"baseline={first}&candidate=linked", "no run"),
        ("", "on both sides"),
    ):
        answer = site_of(tmp_path).answer(f"/compare?{sides}")
        assert answer.status == 409
        assert why in answer.body.decode()


def test_an_address_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    assert site.answer("/?" + "&".join(f"a{n}=1" for n in range(30))).status == 400
    assert site.answer("/?scenario=%ff").status == 400


def test_pages_of_other_programs_are_a_link_away(tmp_path: Path) -> None:
    site = site_of(tmp_path, others=lambda: [OtherPage("Grafana", "http://127.0.0.1:3000")])
    assert '<a href="http://127.0.0.1:3000" rel="noreferrer">Grafana' in page_of(site, "/alerts/")


def test_the_overview_says_what_the_newest_comparison_trend_and_campaign_found(
    tmp_path: Path,
    planted: Comparison,  # noqa: F811
    falling: Trend,  # noqa: F811
) -> None:
    """Where there is none it says what is therefore not known; none of them is a good verdict."""
    before = page_of(site_of(tmp_path), "/")
    for words in (
        "none is stored: what changed is not known",
        "none is drawn: whether runs got worse is not known",
        "no run is in a catalogue: nothing was checked",
        "none: leaks and slow losses are not known",
    ):
        assert f'<span class="verdict quiet">{words}' in " ".join(before.split())
    write_comparison(tmp_path, planted)
    write_comparison_pages(tmp_path, planted)
    write_trend_page(tmp_path, falling, ())
    write_planted_campaign(tmp_path)
    raise_alert(tmp_path, write_run(tmp_path, 1).name)
    page = page_of(site_of(tmp_path), "/")
    found = page[page.index('id="newest"') : page.index('id="runs"')]
    for words in ("regression", f"/comparisons/{planted.comparison_id}.html", "/trends/", "1 open"):
        assert words in found
    assert "leaks: leak" in found
    assert "5 of 6 hours, scaled hours" in found
    assert "quiet" not in found
