"""Reports and dashboard are served to this machine's browser, read-only, and nothing else is."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.dashboard.server import dashboard_server
from perf_pipeline.report.report_places import HOST
from tests.unit.dashboard.conftest import serving, site_of, write_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = "20260114_000100-0001"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server of a results folder with one run, and a report outside of it."""
    folder = tmp_path_factory.mktemp("reports")
    assert write_run(folder / "results", 1).name == RUN
    (folder / "report.html").write_text("outside", encoding="utf-8")
    with serving(site_of(folder / "results", public_host="perf.example.org")) as at:
        yield at


def ask(
    port: int, path: str, host: str | None = HOST, method: str = "GET"
) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    if host is not None:
        connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), dict(answer.getheaders())
    connection.close()
    return found


def test_a_report_is_served_and_may_load_and_send_nothing(port: int) -> None:
    status, body, headers = ask(port, f"/{RUN}/report.html")
    assert (status, body) == (200, "the report")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "script-src 'sha256-" in policy
    assert "sandbox" in policy
    assert "allow-same-origin" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_of_the_dashboard_loads_from_its_own_server_alone(port: int) -> None:
    status, body, headers = ask(port, "/")
    assert status == 200
    assert RUN in body
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for address, kind in (("/dashboard.css", "text/css"), ("/dashboard.js", "text/javascript")):
        status, body, headers = ask(port, address)
        assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert body


@pytest.mark.parametrize(
    "path",
    [
        f"/{RUN}/",
        f"/{RUN}/run.json",
        "/../report.html",
        "/%2e%2e/report.html",
        f"/{RUN}/../../report.html",
        "/20260114_093012-0000/report.html",
        "//[",
        "/live/",
        "http://127.0.0.1/report.html",
    ],
)
def test_nothing_else_is_served(port: int, path: str) -> None:
    status, body, headers = ask(port, path)
    assert status == 404
    assert "There is no such page or report in the results folders that are shown here" in body
    assert headers["Content-Security-Policy"].startswith("default-src 'none';")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "ODD"])
def test_every_other_method_is_refused(port: int, method: str) -> None:
    status, body, headers = ask(port, "/", method=method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert "read-only" in body


def test_the_head_of_a_page_is_that_of_the_page(port: int) -> None:
    _, body, headers = ask(port, "/trends/")
    status, nothing, head = ask(port, "/trends/", method="HEAD")
    assert (status, nothing) == (200, "")
    assert int(head["Content-Length"]) == len(body.encode()) == int(headers["Content-Length"])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8081", 200),
        ("[::1]:8081", 200),
        ("192.0.2.7:8081", 200),
        ("perf.example.org", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421),
        ("", 421),
        ("[", 421),
        (None, 421),
    ],
)
def test_a_foreign_name_for_this_machine_is_refused(
    port: int, host: str | None, status: int
) -> None:
    """A page elsewhere may have its own name resolve to 127.0.0.1; an address it cannot fake."""
    for path in ("/", f"/{RUN}/report.html", "/live"):
        assert ask(port, path, host)[0] == status


def test_a_reader_who_sends_nothing_keeps_no_other_waiting(port: int) -> None:
    with socket.create_connection((HOST, port)), socket.create_connection((HOST, port)) as half:
        half.sendall(b"GET / HTTP/1.0\r\nHost: ")
        assert ask(port, "/healthz")[:2] == (200, "ok\n")


def test_reports_of_other_results_folders_are_served_as_soon_as_they_are_noted(
    tmp_path: Path,
) -> None:
    """Such as of a run with ``--results`` elsewhere; no list of this folder has it."""
    noted: list[Path] = []
    run = tmp_path / "elsewhere/20260114_093013-4f2c"
    run.mkdir(parents=True)
    (run / "capacity.html").write_text("found", encoding="utf-8")
    site = site_of(tmp_path / "results", linked=lambda: noted)
    path = f"/{run.name}/capacity.html"
    assert site.answer(path).status == 404
    write_run(run.parent, 2)
    noted.append(run.parent)
    assert site.answer(path).body == b"found"
    assert b"There is no run here yet" in site.answer("/").body


def test_a_port_in_use_is_an_error_at_once(port: int, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        dashboard_server(site_of(tmp_path), port)
