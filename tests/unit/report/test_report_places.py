"""Links to reports work from every folder and port that one was made for."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from perf_pipeline.lifeline import own_stamp
from perf_pipeline.report.report_places import ReportPlaces

if TYPE_CHECKING:
    from pathlib import Path


def test_a_link_notes_the_folder_and_the_port_that_it_takes(tmp_path: Path) -> None:
    run = tmp_path / "else where/r-1"
    run.mkdir(parents=True)
    places = ReportPlaces(tmp_path / "state")
    link = places.link(run / "report.html", 4001)
    assert link.url == "http://127.0.0.1:4001/r-1/report.html"
    assert link.index_url == "http://127.0.0.1:4001/"
    again = ReportPlaces(tmp_path / "state")
    assert again.folders() == [run.parent]
    assert again.ports() == [3001, 4001]
    page = run.parent / "comparisons/20260114_093012-4f2c.html"
    assert places.link(page, 4001).url.endswith(":4001/comparisons/20260114_093012-4f2c.html")


def test_the_default_port_gives_way_to_that_of_the_server_that_runs(tmp_path: Path) -> None:
    """A run from the command line knows nothing of ``make ui REPORTS_PORT=4001``."""
    places = ReportPlaces(tmp_path)
    places.note_serving(4001)
    assert places.link(tmp_path / "r-1/report.html", 3001).url.startswith("http://127.0.0.1:4001/")
    assert places.link(tmp_path / "r-1/report.html", 4002).url.startswith("http://127.0.0.1:4002/")
    gone = own_stamp()._replace(start_ticks=1)
    (tmp_path / "reports/serving.json").write_text(json.dumps({"port": 4001, "process": gone}))
    assert places.link(tmp_path / "r-1/report.html", 3001).url.startswith("http://127.0.0.1:3001/")


def test_a_folder_that_is_gone_or_damaged_notes_hide_no_other(tmp_path: Path) -> None:
    places = ReportPlaces(tmp_path / "state")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        places.note_folder(tmp_path / name)
    (tmp_path / "a").rmdir()
    (tmp_path / "state/reports/folders/other").write_bytes(b"relative")
    places.note_port(4001)
    (tmp_path / "state/reports/ports/x").touch()
    (tmp_path / "state/reports/serving.json").write_text("{")
    assert places.folders() == [tmp_path / "b"]
    assert places.ports() == [3001, 4001]
    assert places.served_port() is None


def test_a_state_folder_that_cannot_be_written_to_costs_no_link(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in its place", encoding="utf-8")
    link = ReportPlaces(tmp_path / "state").link(tmp_path / "r-1/report.html", 3001)
    assert link.url == "http://127.0.0.1:3001/r-1/report.html"


def test_a_folder_whose_name_is_no_utf_8_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"r\xff")
    folder.mkdir()
    places = ReportPlaces(tmp_path / "state")
    places.note_folder(folder)
    assert places.folders() == [folder]
