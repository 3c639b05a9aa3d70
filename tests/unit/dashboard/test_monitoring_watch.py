"""What Prometheus and Alertmanager say of a run, on the pages; neither can hold a page up."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from perf_pipeline.dashboard import asked_beside, monitoring_seen
from perf_pipeline.dashboard.monitoring_watch import MonitoringWatch
from perf_pipeline.lifeline import ProcessStamp, own_stamp
from perf_pipeline.servers.lifecycle.persistent_servers import PersistentServer, write_persistent
from tests.unit.dashboard.conftest import page_of, site_of
from tests.unit.dashboard.test_live_runs import begin
from tests.unit.report.conftest import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pytest

SCRAPED, FIRING = "/api/v1/query", "/api/v2/alerts"
AMPLE_S = 20.0
"""A page waits half a second; a busy machine makes it late."""


@contextmanager
def answering(answers: Mapping[str, Any]) -> Iterator[str]:
    """Serve JSON by path on loopback; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path.partition("?")[0])
            body = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def note(state_dir: Path, stamp: ProcessStamp | None = None, **urls: str) -> None:
    """Write that programs were started, by default as this process, which lives."""
    process = stamp or own_stamp()
    for name, url in urls.items():
        write_persistent(state_dir, PersistentServer(name, url, process, process, state_dir))


def scraping(*run_ids: str) -> dict[str, Any]:
    """Return Prometheus' answer on runs that it scrapes."""
    found = [{"metric": {"run_id": run_id}, "value": [1, "1"]} for run_id in run_ids]
    return {SCRAPED: {"status": "success", "data": {"resultType": "vector", "result": found}}}


def alert(run_id: str, name: str, severity: str, summary: str) -> dict[str, Any]:
    """Return an alert as Alertmanager has it."""
    return {
        "labels": {"alertname": name, "run_id": run_id, "severity": severity},
        "annotations": {"summary": summary},
        "startsAt": "2026-01-14T09:30:12.345Z",
        "status": {"state": "active"},
    }


def test_alerts_of_a_run_that_goes_on_are_shown_inert_and_the_gravest_first(tmp_path: Path) -> None:
    """One of another run is not, and links lead to both programs."""
    run = begin(tmp_path / "results")
    firing = [
        alert(run.run_id, "Drop", "warning", HOSTILE),
        alert(run.run_id, "Stale", "critical", "no progress"),
        alert("another", "Elsewhere", "critical", "not here"),
    ]
    with answering(scraping(run.run_id)) as prometheus, answering({FIRING: firing}) as alerts:
        note(tmp_path, prometheus=prometheus, alertmanager=alerts)
        site = site_of(tmp_path / "results", monitoring=MonitoringWatch(tmp_path).look)
        page = page_of(site, "/")
    for name, url in (("Prometheus", prometheus), ("Alertmanager", alerts)):
        assert f'<a href="{url}" rel="noreferrer">{name}' in page
    assert page.index("Stale, since 2026-01-14 09:30:12 UTC: no progress") < page.index("Drop")
    assert "Elsewhere" not in page
    assert "<script>alert" not in page
    assert "No alert fires" not in page
    run.end("complete")


def test_no_alert_is_only_said_of_a_run_that_is_scraped(tmp_path: Path) -> None:
    run = begin(tmp_path / "results")
    for answers, sentence in (
        ((scraping(run.run_id), {FIRING: []}), "No alert fires."),
        ((scraping("another"), {FIRING: []}), "does not scrape this run now"),
        (({}, {FIRING: []}), "Prometheus does not answer"),
        ((scraping(run.run_id), {}), "Alertmanager does not answer"),
        ((scraping(run.run_id), {FIRING: {"no": "list"}}), "Alertmanager does not answer"),
    ):
        with answering(answers[0]) as prometheus, answering(answers[1]) as alerts:
            note(tmp_path, prometheus=prometheus, alertmanager=alerts)
            site = site_of(tmp_path / "results", monitoring=MonitoringWatch(tmp_path).look)
            assert sentence in page_of(site, "/live")
    assert "No alert" not in page_of(site_of(tmp_path / "results"), "/live")
    run.end("complete")


def test_programs_that_accept_and_never_answer_hold_no_page_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be waited for for an hour; pages come, also a second one at once."""
    monkeypatch.setattr(monitoring_seen, "_ANSWER_S", 3600.0)
    monkeypatch.setattr(asked_beside, "WAIT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        note(tmp_path, prometheus=url, alertmanager=url)
        watch = MonitoringWatch(tmp_path)
        began_s = time.monotonic()
        for _ in range(2):
            page = page_of(site_of(tmp_path, monitoring=watch.look), "/trends/")
            assert url not in page
        assert time.monotonic() - began_s < AMPLE_S
        assert sum("_ask" in one.name for one in threading.enumerate()) <= 1


def test_what_was_killed_is_not_linked_though_its_port_answers(tmp_path: Path) -> None:
    gone = ProcessStamp.from_json([2**22 - 1, 1, *list(own_stamp())[2:]])
    with answering(scraping()) as stranger:
        note(tmp_path, gone, prometheus=stranger)
        seen = MonitoringWatch(tmp_path).look()
    assert seen.is_started
    assert (seen.pages, seen.scraped) == ({}, None)


def test_readers_elsewhere_get_no_links_to_this_machines_loopback(tmp_path: Path) -> None:
    with answering(scraping("a")) as prometheus:
        note(tmp_path, prometheus=prometheus)
        seen = MonitoringWatch(tmp_path, are_local=False).look()
    assert (seen.pages, seen.scraped) == ({}, {"a"})


def test_what_was_found_long_ago_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Prometheus answers, and then hangs."""
    now_s = [0.0]
    watch = MonitoringWatch(tmp_path, clock_s=lambda: now_s[0])
    with answering(scraping("a")) as prometheus:
        note(tmp_path, prometheus=prometheus)
        assert watch.look().scraped == {"a"}
    monkeypatch.setattr(monitoring_seen, "_ANSWER_S", 3600.0)
    monkeypatch.setattr(asked_beside, "WAIT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        note(tmp_path, prometheus=f"http://127.0.0.1:{silent.getsockname()[1]}")
        for now_s[0], scraped in ((1, {"a"}), (asked_beside.KEPT_S + 1, None)):
            assert watch.look().scraped == scraped
