"""Nothing that listens during a monitored run is reached from another machine."""

from __future__ import annotations

import signal
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

import psutil
import pytest

from perf_pipeline.config.settings import read_settings
from perf_pipeline.servers.lifecycle.persistent_servers import stop_servers
from perf_pipeline.servers.lifecycle.services import start_servers
from perf_pipeline.servers.monitors.obtain import obtain_monitoring
from perf_pipeline.servers.monitors.start import start_monitoring, stop_monitoring
from tests.integration.runs.traces import some_ports
from tests.sandbox import WAIT_S, Sandbox, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


EVERYWHERE = "0.0.0.0"  # noqa: S104 - the one test that asks for it


def listeners(sandbox: Sandbox) -> dict[str, str]:
    """Return the address of every internet socket that takes connections or datagrams.

    Args:
        sandbox: Whose processes have them.

    Returns:
        Address and port to the name of the program.
    """
    found = {}
    for pid in sandbox.processes():
        try:
            process = psutil.Process(pid)
            for one in process.net_connections("inet"):
                is_open = one.status == psutil.CONN_LISTEN or (
                    not one.raddr and one.type == socket.SOCK_DGRAM
                )
                if is_open and one.laddr:
                    found[f"{one.laddr.ip} {one.laddr.port}"] = " ".join(process.cmdline())[:200]
        except psutil.NoSuchProcess:
            continue
    return found


def beyond_loopback(found: dict[str, str]) -> dict[str, str]:
    """Return the sockets that another machine can reach."""
    return {at: who for at, who in found.items() if not ip_address(at.split()[0]).is_loopback}


@pytest.mark.slow
def test_servers_monitoring_exporter_and_dashboard_listen_on_loopback_alone(
    tmp_path: Path,
) -> None:
    sandbox = Sandbox(tmp_path)
    settings = read_settings(sandbox.environ)
    messages: list[str] = []
    if not obtain_monitoring(settings, messages.append):
        pytest.skip("\n".join(messages))
    port = some_ports()[1]
    try:
        started = start_servers(settings, ["redis"], pytest.fail)
        start_monitoring(settings, started, pytest.fail)
        scenario = sandbox.long_scenario("long", servers=["redis"])
        run = sandbox.start("perf-pipeline", "run", scenario, log=tmp_path / "run.out")
        shown = ("perf-pipeline", "dashboard", "--port", str(port))
        sandbox.start(*shown, log=tmp_path / "dashboard.out")
        assert settings.scrape_dir is not None
        scraped = settings.scrape_dir
        assert until(lambda: list(scraped.glob("*.json")) != [], WAIT_S)
        programs = ("prometheus", "alertmanager", "exporter", "dashboard")
        found: dict[str, str] = {}

        def all_listen() -> bool:
            found.update(listeners(sandbox))
            return all(any(one in who for who in found.values()) for one in programs)

        assert until(all_listen, 60), found
        sandbox.wait_until_steady(run, 0)
        found.update(listeners(sandbox))
        assert beyond_loopback(found) == {}
        run.send_signal(signal.SIGINT)
        run.wait(WAIT_S)
    finally:
        stop_servers(settings, ["redis"])
        stop_monitoring(settings)
        sandbox.close()


def test_a_dashboard_for_other_machines_says_what_that_means(tmp_path: Path) -> None:
    """The only way to a socket beyond loopback; the test for the test above."""
    sandbox = Sandbox(tmp_path)
    port, out = some_ports()[1], tmp_path / "dashboard.out"
    try:
        command = ("perf-pipeline", "dashboard", "--host", EVERYWHERE, "--port", str(port))
        process = sandbox.start(*command, log=out)
        assert until(lambda: "dashboard: http" in out.read_text(), WAIT_S)
        assert "has no login" in out.read_text()
        assert list(beyond_loopback(listeners(sandbox))) == [f"{EVERYWHERE} {port}"]
        process.terminate()
        assert process.wait(WAIT_S) == 143
    finally:
        sandbox.close()
