"""The dashboard links to programs that run, and to none whose part of the stack is off."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

from perf_pipeline.config.page_settings import read_page_settings
from perf_pipeline.dashboard.asked_beside import EVERY_S
from perf_pipeline.dashboard.linked_pages import LinkedPages
from tests.sandbox import until

if TYPE_CHECKING:
    import pytest

ASKED = "PERF_PIPELINE_PAGES_ASKED"


def test_a_program_is_linked_to_once_it_is_there_and_no_longer_once_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One without a place where it is asked is linked to, as whoever gave its address wants."""
    monkeypatch.setattr("perf_pipeline.dashboard.asked_beside.WAIT_S", 20.0)
    now_s = [0.0]
    with closing(socket.create_server(("127.0.0.1", 0))) as grafana:
        port = int(grafana.getsockname()[1])
        problems: list[str] = []
        given = {ASKED: f"Grafana=127.0.0.1:{port} Kibana=no-such-host.invalid:5601"}
        asked = read_page_settings(given, problems).asked
        assert problems == []
        addresses = {"Grafana": "http://g", "Kibana": "http://k", "Dagster": "http://d"}
        pages = LinkedPages(addresses, asked, lambda: now_s[0])
        assert [page.name for page in pages.look()] == ["Grafana", "Dagster"]
    now_s[0] += EVERY_S
    assert until(lambda: [page.name for page in pages.look()] == ["Dagster"])


def test_a_place_that_cannot_be_read_is_named() -> None:
    problems: list[str] = []
    read_page_settings({ASKED: "Grafana=grafana Prom=prometheus:9090"}, problems)
    assert len(problems) == 2
    assert "'Grafana=grafana'" in problems[0]
    assert "NAME=HOST:PORT with Dagster, Grafana, Prometheus or Kibana" in problems[1]
