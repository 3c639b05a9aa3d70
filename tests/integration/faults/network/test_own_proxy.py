"""Our proxies beyond Toxiproxy's API: whole data, seeded choices, and an end with their owner."""

from __future__ import annotations

import http.client
import json
import random
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from perf_pipeline.faults.network.kernel_resets import aborted_connections
from perf_pipeline.faults.proxy.added_latency import measure_added_latency
from perf_pipeline.faults.proxy.proxy_process import ProxyProcess
from tests.integration.faults.network.echo import (
    Echo,
    client_of,
    is_refused,
    received,
    round_trip_s,
)
from tests.sandbox import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.faults.proxy.proxy_state import ProxyState

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def process() -> Iterator[ProxyProcess]:
    """A process of proxies."""
    with ProxyProcess(seed=1) as started:
        yield started


@pytest.fixture
def proxy(process: ProxyProcess, echo: Echo) -> Iterator[ProxyState]:
    """A proxy before the echo."""
    yield process.client.create("echo", "127.0.0.1:0", echo.address)
    process.client.delete("echo")


@pytest.mark.parametrize("toxic", [None, "latency", "slicer"])
def test_large_data_pass_whole_in_both_directions_at_once(
    process: ProxyProcess, proxy: ProxyState, toxic: str | None
) -> None:
    """4 MB, more than the proxy holds and any socket buffers: the sender has to wait for it."""
    attributes = {"latency": 20} if toxic == "latency" else {"average_size": 50_000}
    if toxic:
        process.client.add_toxic("echo", toxic, "downstream", attributes)
    data = random.Random(1).randbytes(4_000_000)
    with client_of(proxy.address) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        assert received(client, len(data)) == data
        sender.join()


def test_a_client_that_has_sent_everything_still_gets_its_answer(proxy: ProxyState) -> None:
    with client_of(proxy.address) as client:
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert received(client, 100) == b"question"


def test_idle_connections_are_reset_and_the_kernel_counts_them(
    process: ProxyProcess, proxy: ProxyState
) -> None:
    """Toxiproxy's reset_peer waits for data, and a pool's idle connections never notice."""
    before = aborted_connections()
    with client_of(proxy.address) as one, client_of(proxy.address) as other:
        for client in (one, other):
            round_trip_s(client)
        assert process.client.connections("echo").open == 2
        assert process.client.reset_connections("echo", 5) == 2
        for client in (one, other):
            with pytest.raises(ConnectionResetError):
                client.recv(1)
    counts = process.client.connections("echo")
    assert (counts.open, counts.accepted, counts.resets) == (0, 2, 2)
    assert aborted_connections() >= before + 2


def test_whoever_looks_goes_the_same_way_and_is_counted_apart(
    process: ProxyProcess, proxy: ProxyState
) -> None:
    """By a listener of its own, with the same toxics; a disabled proxy has neither open."""
    process.client.add_toxic("echo", "latency", "downstream", {"latency": 40})
    probe_address = process.client.connections("echo").probe_address
    assert probe_address != proxy.address
    with client_of(probe_address) as probe, client_of(proxy.address) as client:
        assert round_trip_s(probe) >= 0.039
        round_trip_s(client)
        counts = process.client.connections("echo")
        assert (counts.open, counts.accepted, counts.probe_open) == (1, 1, 1)
        assert process.client.reset_connections("echo", 5) == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        round_trip_s(probe)
        assert process.client.reset_connections("echo", 5) == 1
        counts = process.client.connections("echo")
        assert (counts.resets, counts.probe_resets, counts.probe_open) == (1, 1, 0)
    process.client.disable("echo")
    assert is_refused(probe_address)
    assert is_refused(proxy.address)


def test_the_proxy_refuses_while_its_server_refuses(
    process: ProxyProcess, proxy: ProxyState, echo: Echo
) -> None:
    """A client of a dead server must see that it is refused, as without a proxy."""
    port = echo.port
    echo.close()
    with pytest.raises(ConnectionResetError), client_of(proxy.address) as first:
        first.recv(1)
    assert until(lambda: is_refused(proxy.address), 5)
    assert process.client.proxy("echo").enabled
    with Echo(port):
        assert until(lambda: not is_refused(proxy.address), 5)
        with client_of(proxy.address) as client:
            round_trip_s(client)


def played(folder: Path, seed: int, echo: Echo, looks: int = 0) -> bytes:
    """Return the choices of a process for the same commands and traffic."""
    file = folder / f"{time.monotonic_ns()}.jsonl"
    with ProxyProcess(seed, file) as process:
        state = process.client.create("echo", "127.0.0.1:0", echo.address)
        process.client.add_toxic("echo", "latency", "downstream", {"latency": 3, "jitter": 2})
        process.client.add_toxic("echo", "bandwidth", "upstream", {"rate": 1000}, toxicity=0.5)
        for _ in range(5):
            with client_of(state.address) as client:
                for _ in range(10):
                    round_trip_s(client)
        for _ in range(looks):
            with client_of(process.client.connections("echo").probe_address) as probe:
                round_trip_s(probe)
        with client_of(state.address) as one:
            round_trip_s(one)
            with client_of(state.address) as other:
                round_trip_s(other)
                assert until(lambda: process.client.connections("echo").open == 2, 5)
                process.client.reset_connections("echo", 1)
    return file.read_bytes()


def test_the_same_seed_makes_the_same_choices_byte_for_byte(tmp_path: Path, echo: Echo) -> None:
    first = played(tmp_path, 7, echo)
    assert first == played(tmp_path, 7, echo)
    assert first != played(tmp_path, 8, echo)
    choices = [json.loads(line) for line in first.decode().splitlines()]
    assert sum("delay_ms" in one for one in choices) >= 52
    assert sum("acts" in one for one in choices) == 7
    assert sum("reset" in one for one in choices) == 1


def test_who_looks_at_the_path_does_not_change_the_choices_for_workers(
    tmp_path: Path, echo: Echo
) -> None:
    """How often evidence is taken depends on the machine: the choices must not."""
    looked = [json.loads(line) for line in played(tmp_path, 7, echo, looks=3).splitlines()]
    plain = [json.loads(line) for line in played(tmp_path, 7, echo).splitlines()]
    assert {one["connection"] for one in looked if one["connection"] < 0} == {-1, -2, -3}
    assert [one for one in looked if one["connection"] >= 0] == plain


def test_what_a_proxy_adds_is_measured(process: ProxyProcess) -> None:
    added = measure_added_latency(process.client, process.pid, time.monotonic_ns, round_trips=200)
    assert 0 < added.median_s < 1
    assert added.direct_s > 0
    assert added.cpu_s is not None
    assert 0 < added.cpu_s < 0.1
    assert process.client.proxies() == {}


def test_proxies_and_their_connections_end_with_a_killed_owner(echo: Echo) -> None:
    """Whoever dies, no toxic is left: the failure goes with the path."""
    command = [
        sys.executable,
        "-m",
        "tests.integration.faults.network.owner_of_proxies",
        echo.address,
    ]
    owner = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    told = json.loads(owner.stdout.readline())
    host, _, port = told["listen"].rpartition(":")
    with client_of((host, int(port))) as client:
        round_trip_s(client)
        owner.kill()
        owner.wait()
        assert client.recv(1) == b""
    assert until(lambda: not psutil.pid_exists(told["pid"]), 5)
    owner.stdout.close()


def test_a_killed_process_is_noticed_with_its_reason() -> None:
    with ProxyProcess(seed=1) as process:
        assert process.ended_because() == ""
        psutil.Process(process.pid).kill()
        assert until(lambda: process.ended_because() == "it ended with -9", 5)


def test_only_this_machine_and_no_browser_can_control_it(
    process: ProxyProcess,
    proxy: ProxyState,  # noqa: ARG001 - its listeners are looked at
) -> None:
    """Any page that a browser shows could ask a loopback port."""
    listening = [
        one.laddr.ip
        for one in psutil.Process(process.pid).net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1", "127.0.0.2"}
    connection = http.client.HTTPConnection(process.control_url.removeprefix("http://"), timeout=5)
    connection.request("POST", "/reset", headers={"User-Agent": "Mozilla/5.0"})
    assert connection.getresponse().status == 403
    connection.close()


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "example.org:80"])
def test_clients_of_other_machines_are_not_accepted(process: ProxyProcess, listen: str) -> None:
    with pytest.raises(Exception, match=r"127\.0\.0\.1 alone"):
        process.client.create("open", listen, "127.0.0.1:1")


@pytest.mark.parametrize("body", ["", "[", "[]", '"text"', "3", "{}", '{"name": {}}', "\x00"])
@pytest.mark.parametrize("path", ["/proxies", "/populate", "/proxies/x/toxics", "/x/y", "//"])
def test_no_request_is_answered_with_a_defect(process: ProxyProcess, path: str, body: str) -> None:
    connection = http.client.HTTPConnection(process.control_url.removeprefix("http://"), timeout=5)
    connection.request("POST", path, body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status >= 300:
        assert 400 <= response.status < 500
        assert json.loads(content)["status"] == response.status
