"""Servers wait for clients that ask for much and read little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.fault import FaultedServer, FaultRefusedError
from perf_pipeline.faults.kinds.slow_client import SlowClients, make
from perf_pipeline.servers.redis.session import session
from perf_pipeline.servers.service import find_service
from tests.integration.faults.played import injected, place_of, place_on
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("service", ["postgres", "mysql", "redis", "mongodb"])
def test_answers_wait_in_the_server_for_clients_that_read_a_kilobyte_a_second(
    servers: dict[str, Server], service: str, tmp_path: Path
) -> None:
    """Other clients are answered meanwhile.

    With ``inject`` doing nothing, ``injected`` fails: no sign comes in 10 s.
    """
    server = servers[service]
    settings = {"clients": 3, "read_kb_per_s": 1.0}
    with injected(make(place_on(tmp_path / "fault", server), settings)) as fault:
        assert fault.sign().value == 3
        find_service(service).identify(server.url, 5.0)


def test_a_client_that_the_server_ends_is_replaced(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    """Redis is told to end all clients of a kind, as its limit of output would."""
    server = servers["redis"]
    with injected(make(place_on(tmp_path / "fault", server), {"clients": 2})) as fault:
        with session(server.url, 5.0) as client:
            client.client_kill_filter(_type="normal", skipme=True)
        assert until(lambda: fault.sign().in_effect, 5.0)


def test_a_server_on_another_machine_is_refused(tmp_path: Path) -> None:
    """Its send queue is in another kernel."""
    place = place_of(tmp_path, FaultedServer("redis", "redis://192.0.2.1:6379/0"))
    with pytest.raises(FaultRefusedError, match="must be on loopback"):
        SlowClients(place, 1, 1.0).preflight()
