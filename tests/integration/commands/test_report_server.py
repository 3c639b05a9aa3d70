"""Reports are served to this machine's browser, and nothing but reports."""

from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.report_server import HOST, report_server, report_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    path = report_url("20260114_093012-4f2c", port).removeprefix(f"http://{HOST}:{port}")
    status, body, headers = ask(port, path)
    assert (status, body) == (200, "<h1>the report</h1>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none';")


@pytest.mark.parametrize(
    "path",
    [
        "/",
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
    assert body.startswith("There is no such report in the results folder that is served here.")


def test_a_foreign_name_for_this_machine_is_refused(port: int) -> None:
    """A page elsewhere may have its own name resolve to 127.0.0.1."""
    path = "/20260114_093012-4f2c/report.html"
    assert ask(port, path, "evil.example")[0] == 404
    assert ask(port, path, "localhost")[0] == 200


def test_a_port_in_use_is_an_error_at_once(port: int, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        report_server(tmp_path, port)
