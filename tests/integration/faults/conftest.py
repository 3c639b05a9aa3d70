"""Servers that may be faulted, and proxies: ours, and Shopify's where it can be built."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.faults.marker import faulted_server
from perf_pipeline.faults.proxy.client import ProxyClient, ProxyControlError
from perf_pipeline.faults.proxy.proxy_process import ProxyProcess
from perf_pipeline.servers.lifecycle.services import ServiceSession
from tests.integration.conftest import settings_in
from tests.integration.faults.network.echo import Echo
from tests.integration.faults.network.proxied_bench import Bench
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.faults.fault import FaultedServer
    from perf_pipeline.servers.server import Server

TOXIPROXY = "github.com/Shopify/toxiproxy/v2/cmd/server"
TOXIPROXY_VERSION = "v2.12.0"
_BUILD_S = 280.0


@cache
def toxiproxy_program() -> Path | str:
    """Return Shopify's program, built once into the user's cache, or why there is none."""
    folder = current_settings().cache_dir / f"toxiproxy-{TOXIPROXY_VERSION}"
    program = folder / "server"
    if program.exists():
        return program
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        return "Go is not installed: Toxiproxy cannot be built"
    built = subprocess.run(
        [go, "install", f"{TOXIPROXY}@{TOXIPROXY_VERSION}"],
        env={**os.environ, "GOBIN": str(folder)},
        capture_output=True,
        text=True,
        timeout=_BUILD_S,
        check=False,
    )
    return program if program.exists() else f"Toxiproxy was not built: {built.stderr[-300:]}"


@contextmanager
def shopifys() -> Iterator[ProxyClient]:
    """Shopify's Toxiproxy on a free port."""
    program = toxiproxy_program()
    if isinstance(program, str):
        pytest.skip(program)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "-host", "127.0.0.1", "-port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = ProxyClient(f"http://127.0.0.1:{port}")
    try:
        assert until(lambda: answers(client), 20)
        yield client
    finally:
        process.kill()
        process.wait()


@contextmanager
def ours() -> Iterator[ProxyClient]:
    """Our own proxies."""
    with ProxyProcess(seed=1) as process:
        yield process.client


def answers(client: ProxyClient) -> bool:
    try:
        return bool(client.version())
    except ProxyControlError:
        return False


@pytest.fixture(
    scope="module",
    params=["ours", pytest.param("shopifys", marks=pytest.mark.slow)],
)
def either(request: pytest.FixtureRequest) -> Iterator[ProxyClient]:
    """A client of our proxies, and in the long suite of Shopify's Toxiproxy."""
    with {"ours": ours, "shopifys": shopifys}[request.param]() as client:
        yield client


@pytest.fixture
def api(either: ProxyClient) -> Iterator[ProxyClient]:
    """The same without any proxy."""
    yield either
    for name in either.proxies():
        either.delete(name)


@pytest.fixture(scope="module")
def bench(servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The servers of the test session behind proxies."""
    with ProxyProcess(seed=1) as process:
        yield Bench(servers, process.client, tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def shopifys_bench(
    servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """The same behind Shopify's Toxiproxy."""
    with shopifys() as client:
        yield Bench(servers, client, tmp_path_factory.mktemp("place"))


@pytest.fixture
def echo() -> Iterator[Echo]:
    """A server that sends back what it gets."""
    with Echo() as server:
        yield server


@pytest.fixture(scope="session")
def own_servers(
    tmp_path_factory: pytest.TempPathFactory,
    mariadb: None,  # noqa: ARG001
) -> Iterator[dict[str, Server]]:
    """A server of every service; MongoDB's is the stand-in."""
    with ServiceSession(settings_in(tmp_path_factory.mktemp("faulted")), SERVICES) as session:
        yield session.servers


@pytest.fixture
def faulted(own_servers: dict[str, Server]) -> dict[str, FaultedServer]:
    """The same, as failures are injected into them."""
    return {name: faulted_server(server) for name, server in own_servers.items()}
