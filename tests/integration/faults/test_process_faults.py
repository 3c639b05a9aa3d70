"""Servers that are frozen or killed are so, as the kernel tells, and come back as they were."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.services import SERVICES
from perf_pipeline.faults.marker import faulted_server
from perf_pipeline.selftest.fault_trials.played_here import played_here
from perf_pipeline.servers.lifecycle.persistent_servers import stop_servers
from perf_pipeline.servers.lifecycle.resolve import running_server
from perf_pipeline.servers.lifecycle.services import start_servers
from perf_pipeline.servers.service import find_service
from tests.integration.faults.playing import assert_acted, played

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import FaultedServer

pytestmark = pytest.mark.integration

KINDS = ("server_freeze", "server_crash")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_is_in_the_failure_for_its_window_and_as_before_afterwards(
    kind: str, service: str, faulted: dict[str, FaultedServer], tmp_path: Path
) -> None:
    """The injector saw its state come back; here it is asked once more."""
    server = faulted[service]
    asked = find_service(service)
    before = asked.identify(server.url, 5.0)
    record = played(FaultWindow(kind, service, 0.2, 1.5), server, tmp_path)
    assert_acted(record)
    assert asked.identify(server.url, 5.0) == before


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_that_does_nothing_is_invalid(
    kind: str,
    service: str,
    faulted: dict[str, FaultedServer],
    tmp_path: Path,
) -> None:
    window = FaultWindow(kind, service, 0.0, 0.6)
    record = played_here(window, faulted[service], tmp_path / "sham", is_sham=True)
    assert record.signs != ()
    assert record.evidence_share == 0.0
    assert not record.is_valid


def test_a_session_that_was_open_before_waits_for_a_frozen_postgresql(
    faulted: dict[str, FaultedServer], tmp_path: Path
) -> None:
    """A stopped postmaster alone would leave it at work: all processes are stopped."""
    with (
        psycopg.connect(faulted["postgres"].url, autocommit=True) as connection,
        ThreadPoolExecutor(1) as thread,
    ):
        playing = thread.submit(
            played,
            FaultWindow("server_freeze", "postgres", 0.0, 2.0),
            faulted["postgres"],
            tmp_path,
        )
        longest_s = 0.0
        while not playing.done():
            begun_s = time.monotonic()
            connection.execute("SELECT 1")
            longest_s = max(longest_s, time.monotonic() - begun_s)
        record = playing.result()
    assert_acted(record)
    assert longest_s > 1.4


def test_a_server_that_stays_is_found_again_after_a_crash(
    settings: Settings, tmp_path: Path
) -> None:
    """Its note names the process of the first start, which was killed."""
    (first,) = start_servers(settings, ["redis"], lambda _text: None)
    try:
        window = FaultWindow("server_crash", "redis", 0.0, 1.0)
        record = played(window, faulted_server(first), tmp_path)
        again, notes = running_server(settings, "redis")
        assert_acted(record)
        assert notes == []
        assert again is not None
        assert (again.url, again.facts, again.folder) == (first.url, first.facts, first.folder)
        assert again.pids != first.pids
    finally:
        stop_servers(settings, ["redis"])
