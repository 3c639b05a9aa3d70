"""Reports are served to this machine's browser, and nothing but reports."""

from __future__ import annotations

import http.client
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.report_places import HOST, report_url
from perf_pipeline.report.report_server import report_server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of a results folder with one run."""
    folder = tmp_path_factory.mktemp("reports")
    run = folder / "results/20260114_093012-4f2c"
    run.mkdir(parents=True)
    (run / "report.html").write_text("<h1>the report</h1>", encoding="utf-8")
    (run / "run.json").write_text("{}", encoding="utf-8")
    (folder / "report.html").write_text("outside", encoding="utf-8")
    with report_server(folder / "results", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def ask(port: int, path: str, host: str = HOST) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), dict(answer.getheaders())
    connection.close()
    return found


def test_a_report_is_served_and_may_load_and_send_nothing(port: int) -> None:
    path = report_url(Path("20260114_093012-4f2c/report.html"), port).removeprefix(
        f"http://{HOST}:{port}"
    )
    status, body, headers = ask(port, path)
    assert (status, body) == (200, "<h1>the report</h1>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none';")


@pytest.mark.parametrize(
    "path",
    [
        "/20260114_093012-4f2c/",
        "/20260114_093012-4f2c/run.json",
        "/../report.html",
        "/%2e%2e/report.html",
        "/20260114_093012-4f2c/../../report.html",
        "/20260114_093012-0000/report.html",
    ],
)
def test_nothing_else_is_served(port: int, path: str) -> None:
    status, body, _ = ask(port, path)
    assert status == 404
    assert body.startswith("There is no such report in the results folders that are served here;")


def test_the_list_of_runs_is_behind_the_links_and_names_what_it_cannot_read(port: int) -> None:
    """The record of the only run here is ``{}``."""
    status, body, headers = ask(port, "/")
    assert status == 200
    assert "20260114_093012-4f2c" in body
    assert "is not the record of a run" in body
    assert headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert ask(port, "/", "evil.example")[0] == 404


def test_reports_of_other_results_folders_are_served_as_soon_as_they_are_noted(
    tmp_path: Path,
) -> None:
    """Such as of a run with ``--results`` elsewhere, while the server runs."""
    others: list[Path] = []
    run = tmp_path / "elsewhere/20260114_093013-4f2c"
    run.mkdir(parents=True)
    (run / "capacity.html").write_text("found", encoding="utf-8")
    with report_server(tmp_path / "results", 0, lambda: others) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at, path = server.server_address[1], f"/{run.name}/capacity.html"
        assert ask(at, path)[0] == 404
        others.append(run.parent)
        assert ask(at, path)[:2] == (200, "found")
        server.shutdown()


def test_a_foreign_name_for_this_machine_is_refused(port: int) -> None:
    """A page elsewhere may have its own name resolve to 127.0.0.1."""
    path = "/20260114_093012-4f2c/report.html"
    assert ask(port, path, "evil.example")[0] == 404
    assert ask(port, path, "localhost")[0] == 200


def test_a_port_in_use_is_an_error_at_once(port: int, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        report_server(tmp_path, port)
