"""One API, two implementations: our proxies and Shopify's Toxiproxy do the same.

The short suite asks ours; the long one builds Toxiproxy with Go and asks both.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.faults.proxy.client import ProxyControlError
from tests.integration.faults.network.echo import client_of, is_refused, received, round_trip_s

if TYPE_CHECKING:
    from perf_pipeline.faults.proxy.client import ProxyClient
    from perf_pipeline.faults.proxy.proxy_state import ProxyState
    from tests.integration.faults.network.echo import Echo

pytestmark = pytest.mark.integration


@pytest.fixture
def proxy(api: ProxyClient, echo: Echo) -> ProxyState:
    """A proxy before the echo."""
    return api.create("echo", "127.0.0.1:0", echo.address)


def test_proxies_are_created_listed_and_deleted(
    api: ProxyClient, echo: Echo, proxy: ProxyState
) -> None:
    assert api.proxies() == {"echo": proxy}
    assert (proxy.enabled, proxy.upstream, proxy.toxics) == (True, echo.address, ())
    assert proxy.address[1] > 0
    with client_of(proxy.address) as client:
        round_trip_s(client)
    api.delete("echo")
    assert api.proxies() == {}
    assert is_refused(proxy.address)


def test_version_says_who_answers(api: ProxyClient) -> None:
    assert api.version()


@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (lambda api: api.proxy("nobody"), 404),
        (lambda api: api.delete("nobody"), 404),
        (lambda api: api.create("echo", "127.0.0.1:0", "127.0.0.1:1"), 409),
        (lambda api: api.create("", "127.0.0.1:0", "127.0.0.1:1"), 400),
        (lambda api: api.create("new", "127.0.0.1:0", ""), 400),
        (lambda api: api.add_toxic("echo", "lag", "downstream", {}), 400),
        (lambda api: api.add_toxic("echo", "latency", "sideways", {}), 400),
        (lambda api: api.add_toxic("nobody", "latency", "downstream", {}), 404),
        (lambda api: api.change_toxic("echo", "none", {"latency": 1}), 404),
    ],
)
def test_what_is_wrong_is_refused_with_the_same_status(
    api: ProxyClient, asked: Any, status: int
) -> None:
    with pytest.raises(ProxyControlError) as refusal:
        asked(api)
    assert refusal.value.status == status


@pytest.mark.usefixtures("proxy")
def test_a_toxic_of_the_same_name_is_refused_and_removing_twice_is_fine(api: ProxyClient) -> None:
    name = api.add_toxic("echo", "latency", "downstream", {"latency": 1})
    assert name == "latency_downstream"
    with pytest.raises(ProxyControlError) as refusal:
        api.add_toxic("echo", "latency", "downstream", {"latency": 1})
    assert refusal.value.status == 409
    api.remove_toxic("echo", name)
    api.remove_toxic("echo", name)
    assert api.proxy("echo").toxics == ()


def test_latency_delays_answers_and_can_be_changed(api: ProxyClient, proxy: ProxyState) -> None:
    """Open connections feel it at once: 50 ms, then 150 ms, then none."""
    with client_of(proxy.address) as client:
        round_trip_s(client)
        name = api.add_toxic("echo", "latency", "downstream", {"latency": 50, "jitter": 0})
        (toxic,) = api.proxy("echo").toxics
        assert (toxic["type"], toxic["stream"], toxic["toxicity"]) == ("latency", "downstream", 1)
        assert toxic["attributes"] == {"latency": 50, "jitter": 0}
        assert 0.049 <= min(round_trip_s(client) for _ in range(5)) < 0.14
        api.change_toxic("echo", name, {"latency": 150})
        assert min(round_trip_s(client) for _ in range(2)) >= 0.149
        api.remove_toxic("echo", name)
        assert min(round_trip_s(client) for _ in range(10)) < 0.045


def test_latency_of_both_streams_adds_up(api: ProxyClient, proxy: ProxyState) -> None:
    for stream in ("upstream", "downstream"):
        api.add_toxic("echo", "latency", stream, {"latency": 40, "jitter": 0})
    with client_of(proxy.address) as client:
        assert min(round_trip_s(client) for _ in range(3)) >= 0.079


def test_what_a_latency_held_arrives_whole_when_it_is_removed(
    api: ProxyClient, proxy: ProxyState
) -> None:
    """A silent partition is a latency longer than it lasts: TCP would deliver afterwards."""
    with client_of(proxy.address) as client:
        round_trip_s(client)
        for stream in ("upstream", "downstream"):
            api.add_toxic("echo", "latency", stream, {"latency": 3_600_000, "jitter": 0})
        client.sendall(b"while it was silent")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        api.reset()
        client.settimeout(10)
        assert received(client, 19) == b"while it was silent"


def test_a_bandwidth_limits_a_direction(api: ProxyClient, proxy: ProxyState) -> None:
    """30 KB at 100 KB/s take 0.3 s."""
    api.add_toxic("echo", "bandwidth", "downstream", {"rate": 100})
    with client_of(proxy.address) as client:
        assert 0.28 <= round_trip_s(client, bytes(30_000)) < 1.5


def test_a_slicer_loses_nothing(api: ProxyClient, proxy: ProxyState) -> None:
    attributes = {"average_size": 64, "size_variation": 32, "delay": 10}
    api.add_toxic("echo", "slicer", "downstream", attributes)
    with client_of(proxy.address) as client:
        round_trip_s(client, bytes(range(256)) * 16)


def test_a_limit_closes_after_its_bytes(api: ProxyClient, proxy: ProxyState) -> None:
    api.add_toxic("echo", "limit_data", "downstream", {"bytes": 10})
    with client_of(proxy.address) as client:
        client.sendall(bytes(100))
        assert received(client, 100) == bytes(10)


def test_a_timeout_hears_nothing_and_closes(api: ProxyClient, proxy: ProxyState) -> None:
    api.add_toxic("echo", "timeout", "downstream", {"timeout": 200})
    with client_of(proxy.address) as client:
        begun_s = time.monotonic()
        client.sendall(b"hello")
        assert client.recv(10) == b""
        assert time.monotonic() - begun_s >= 0.15


def test_the_connections_of_a_timeout_are_closed_when_it_is_removed(
    api: ProxyClient, proxy: ProxyState
) -> None:
    with client_of(proxy.address) as client:
        round_trip_s(client)
        name = api.add_toxic("echo", "timeout", "downstream", {"timeout": 0})
        client.sendall(b"hello")
        api.remove_toxic("echo", name)
        assert client.recv(10) == b""


def test_a_reset_is_a_reset(api: ProxyClient, proxy: ProxyState) -> None:
    for stream in ("upstream", "downstream"):
        api.add_toxic("echo", "reset_peer", stream, {"timeout": 0})
    with client_of(proxy.address) as client:
        client.sendall(b"hello")
        with pytest.raises(ConnectionResetError):
            client.recv(10)


def test_a_slow_close_delays_the_end(api: ProxyClient, proxy: ProxyState) -> None:
    api.add_toxic("echo", "slow_close", "downstream", {"delay": 200})
    with client_of(proxy.address) as client:
        round_trip_s(client)
        begun_s = time.monotonic()
        client.shutdown(socket.SHUT_WR)
        assert client.recv(10) == b""
        assert time.monotonic() - begun_s >= 0.19


def test_a_toxicity_of_nothing_spares_every_connection(api: ProxyClient, proxy: ProxyState) -> None:
    api.add_toxic("echo", "latency", "downstream", {"latency": 5000}, toxicity=0.0)
    for _ in range(5):
        with client_of(proxy.address) as client:
            assert round_trip_s(client) < 4


def test_a_disabled_proxy_refuses_and_closes_and_comes_back_on_its_port(
    api: ProxyClient, proxy: ProxyState
) -> None:
    with client_of(proxy.address) as client:
        round_trip_s(client)
        api.disable("echo")
        assert is_refused(proxy.address)
        assert client.recv(10) == b""
    assert not api.proxy("echo").enabled
    api.enable("echo")
    assert api.proxy("echo") == proxy
    with client_of(proxy.address) as client:
        round_trip_s(client)


def test_reset_enables_all_and_removes_all_toxics(api: ProxyClient, proxy: ProxyState) -> None:
    api.add_toxic("echo", "latency", "downstream", {"latency": 5000})
    api.disable("echo")
    api.reset()
    assert api.proxies() == {"echo": proxy}


def test_populate_makes_what_is_missing_and_keeps_what_is_the_same(
    api: ProxyClient, echo: Echo, proxy: ProxyState
) -> None:
    wanted = [
        {"name": one, "listen": listen, "upstream": echo.address, "enabled": True}
        for one, listen in (("echo", proxy.listen), ("other", "127.0.0.1:0"))
    ]
    with client_of(proxy.address) as client:
        round_trip_s(client)
        assert [one.name for one in api.populate(wanted)] == ["echo", "other"]
        round_trip_s(client)  # its proxy was not touched
    assert set(api.proxies()) == {"echo", "other"}


def test_connections_end_with_their_server(echo: Echo, proxy: ProxyState) -> None:
    with client_of(proxy.address) as client:
        round_trip_s(client)
        echo.close()
        with suppress(ConnectionResetError):
            assert client.recv(10) == b""
