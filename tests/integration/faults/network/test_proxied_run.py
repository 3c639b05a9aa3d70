"""A run with failures of the network puts its workers, and nobody else, behind proxies."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest
from redis import Redis

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.errors import PerfPipelineError, ServiceUnavailableError
from perf_pipeline.faults.proxy.client import ProxyClient
from perf_pipeline.loadgen.run_servers import RunServers
from perf_pipeline.samples.fault_log import read_faults
from perf_pipeline.scenario_run import run_scenario
from perf_pipeline.servers.through_proxy import upstream_of
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

SCENARIO = Scenario(
    "of-a-test",
    target="callable",
    workloads=(Workload("shop:order", ""),),
    servers=("redis",),
    faults=(FaultWindow("network_latency", "redis", at_s=1, duration_s=1),),
)


def opened(scenario: Scenario, settings: Settings, stack: ExitStack) -> RunServers:
    """Return the servers of a run, found."""
    found = RunServers(scenario, settings, "r-proxied", notify=lambda _text: None, stack=stack)
    found.open()
    return found


@pytest.fixture
def with_redis(settings: Settings, servers: dict[str, Server]) -> Settings:
    """Settings that name the Redis of the test session."""
    return replace(settings, urls={"redis": servers["redis"].url})


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends what a run started."""
    with ExitStack() as opened_stack:
        yield opened_stack


def test_workers_go_through_the_proxy_and_the_harness_past_it(
    with_redis: Settings, servers: dict[str, Server], stack: ExitStack
) -> None:
    run = opened(SCENARIO, with_redis, stack)
    data = run.run_data["redis"]
    assert data.proxy is not None
    assert data.server.url == servers["redis"].url
    assert data.watched().addresses == (data.proxy.address,)
    client = ProxyClient(data.proxy.control_url)
    before = client.connections("redis").accepted
    with Redis.from_url(data.workers_url) as worker:
        assert worker.ping()
    data.written_numbers(0)
    assert client.connections("redis").accepted == before + 1


def test_what_the_proxy_adds_is_in_the_manifest_and_it_ends_with_the_run(
    with_redis: Settings,
) -> None:
    with ExitStack() as stack:
        proxied = opened(SCENARIO, with_redis, stack).proxied
        assert proxied is not None
        assert proxied.record.services == ("redis",)
        assert proxied.record.version.startswith("perf_pipeline")
        assert 0 < proxied.record.added_s < 1
        assert proxied.record.round_trips >= 100
    assert not psutil.pid_exists(proxied.pid)


def test_without_failures_of_the_network_there_is_no_proxy(
    with_redis: Settings, servers: dict[str, Server], stack: ExitStack
) -> None:
    """A lock, or no failure at all: what the proxy adds would be for nothing."""
    lock = FaultWindow("database_timeout", "redis", at_s=1, duration_s=1)
    run = opened(replace(SCENARIO, faults=(lock,)), with_redis, stack)
    assert run.proxied is None
    assert run.run_data["redis"].workers_url == servers["redis"].url


def test_a_run_does_not_go_on_without_its_proxies(with_redis: Settings, stack: ExitStack) -> None:
    """Workers would meet refused connections that no scenario asked for.

    The main thread of a killed process may be a zombie while others still end, and its exit code
    is known when they have.
    """
    proxied = opened(SCENARIO, with_redis, stack).proxied
    assert proxied is not None

    def refusal() -> str:
        try:
            proxied.refuse_ended()
        except PerfPipelineError as error:
            return str(error)
        return ""

    assert refusal() == ""
    psutil.Process(proxied.pid).kill()
    assert until(lambda: "proxies before redis is gone: it ended with -9" in refusal(), 5)


def test_a_server_that_no_proxy_can_stand_before_is_refused_by_name(
    settings: Settings, servers: dict[str, Server], stack: ExitStack
) -> None:
    url = f"{servers['postgres'].url}?hostaddr=127.0.0.1"
    scenario = replace(
        SCENARIO, servers=("postgres",), faults=(replace(SCENARIO.faults[0], server="postgres"),)
    )
    named = replace(settings, urls={"postgres": url})
    with pytest.raises(ServiceUnavailableError, match="no proxy can stand before it"):
        opened(scenario, named, stack)


SHOP = """
import os
from redis import Redis

URL = os.environ["PERF_PIPELINE_REDIS_URL"]
client = Redis.from_url(URL)

def order(number):
    if number == 0:
        with open("port.txt", "w") as file:
            file.write(URL.rpartition(":")[2].partition("/")[0])
    client.set("of-a-proxied-run", number)
"""
ORDERS = f"""
target = "callable"
interpreter = "{sys.executable}"
python_path = "."
servers = ["redis"]
processes = 1
concurrency = [2]
[[workload]]
function = "shop:order"
[[fault]]
type = "network_latency"
server = "redis"
at = "400ms"
duration = "1s"
settings = {{ latency_ms = 200 }}
[phases]
ramp_up_s = 0.1
warm_up_s = 0.2
steady_s = 2
drain_s = 2
"""


def test_a_run_counts_what_goes_through_its_proxy(tmp_path: Path, settings: Settings) -> None:
    """Workers had another port than the server's, and the bytes over it are the target's."""
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    (tmp_path / "shop.toml").write_text(ORDERS, encoding="utf-8")
    scenario = read_scenario(tmp_path / "shop.toml", read_machine_limits())
    finished = run_scenario(scenario, settings)
    (server,) = finished.metrics.manifest.servers
    port = int((tmp_path / "port.txt").read_text(encoding="utf-8"))
    assert port != upstream_of("redis", server.url)[1]
    (record,) = read_faults(next((finished.folder / "levels").iterdir()))
    assert record.reason == ""
    assert any(sign.in_effect for sign in record.signs), record.signs
    (level,) = finished.metrics.levels
    assert level.outcomes["ok"] > 20
    proxy = finished.metrics.manifest.proxy
    assert proxy is not None
    (busy,) = proxy.busy.values()
    assert 0 < busy < 1
    assert (level.resources.network_sent_mb or 0) > 0.0001
    (traffic,) = level.resources.traffic
    assert 1 <= (traffic.connections or 0) <= 2  # of two threads; evidence has others
