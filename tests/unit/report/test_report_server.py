"""The server of reports shows no file from outside of the results folder."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from perf_pipeline.report.report_places import HOST, report_url
from perf_pipeline.report.report_server import report_server


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
    server = report_server(results, 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        port = server.server_address[1]
        for page, content in (("r-1/report.html", b"ours"), ("comparisons/c-1.html", b"compared")):
            with urllib.request.urlopen(report_url(Path(page), port)) as answer:  # noqa: S310
                assert answer.read() == content
        for page in (
            *(f"{run}/report.html" for run in ("r-2", "r-3", "..", "r-1/../../outside")),
            *(f"comparisons/{file}" for file in ("c-2.html", "c-1.json", "../r-1/report.html")),
        ):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"http://{HOST}:{port}/{page}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
