"""The server of reports shows no file from outside of the results folder."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.report_places import HOST
from tests.unit.dashboard.conftest import serving, site_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_link_in_the_place_of_a_report_or_of_a_run_is_not_followed(tmp_path: Path) -> None:
    results, outside = tmp_path / "results", tmp_path / "outside"
    for folder in (results / "r-1", results / "r-2", outside):
        folder.mkdir(parents=True)
    (outside / "report.html").write_text("secret", encoding="utf-8")
    (results / "comparisons").mkdir()
    (results / "comparisons/c-1.html").write_text("compared", encoding="utf-8")
    (results / "comparisons/c-2.html").symlink_to(outside / "report.html")
    (results / "comparisons/c-1.json").write_text("{}", encoding="utf-8")
    (results / "r-1" / "report.html").write_text("ours", encoding="utf-8")
    (results / "r-2" / "report.html").symlink_to(outside / "report.html")
    (results / "r-3").symlink_to(outside)
    (results / "endurance-c-1").mkdir()
    (results / "endurance-c-1/report.html").write_text("campaign", encoding="utf-8")
    with serving(site_of(results)) as port:
        for page, content in (
            ("r-1/report.html", b"ours"),
            ("comparisons/c-1.html", b"compared"),
            ("endurance-c-1/report.html", b"campaign"),
        ):
            with urllib.request.urlopen(f"http://{HOST}:{port}/{page}") as answer:
                assert answer.read() == content
        for page in (
            *(f"{run}/report.html" for run in ("r-2", "r-3", "..", "r-1/../../outside")),
            *(f"comparisons/{file}" for file in ("c-2.html", "c-1.json", "../r-1/report.html")),
        ):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://{HOST}:{port}/{page}")
