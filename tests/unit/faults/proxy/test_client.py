"""Who answers at a control address: a proxy, nobody, or a program that has its port by now."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.kinds import network_latency, network_partition
from perf_pipeline.faults.proxy.client import ProxyClient, ProxyControlError

if TYPE_CHECKING:
    from collections.abc import Iterator


def http(text: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A program that sends the same to everybody; yields the URL of its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(1 << 16)
                    client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


OTHERS = {
    "a web server": http("<html>no such page</html>", "404 Not Found"),
    "another API": http('{"redis": "up", "status": 3}'),
    "a list": http("[1, 2]"),
    "no HTTP": b"-ERR unknown command\r\n",
}
LEFT = {
    "proxy": "redis",
    "listen": "127.0.0.1:9",
    "upstream": "127.0.0.1:10",
}


@pytest.mark.parametrize("answer", OTHERS.values(), ids=OTHERS)
def test_a_port_that_another_program_has_by_now_has_no_proxy(answer: bytes) -> None:
    """What a killed run left there is gone with its proxies, or every start would try again."""
    with answering(answer) as url:
        with pytest.raises(ProxyControlError) as refusal:
            ProxyClient(url).proxies()
        assert refusal.value.is_gone
        network_partition.undo_left_behind({**LEFT, "control_url": url})
        network_latency.undo_left_behind({**LEFT, "control_url": url, "toxics": "a b"})


def test_a_proxy_that_does_not_do_what_it_is_asked_is_not_gone() -> None:
    error = http('{"error": "listen tcp: address in use", "status": 500}', "500 Server Error")
    with answering(error) as url, pytest.raises(ProxyControlError, match="in use") as refusal:
        network_partition.undo_left_behind({**LEFT, "control_url": url})
    assert not refusal.value.is_gone
    assert refusal.value.status == 500


def test_a_connection_that_breaks_says_nothing_about_the_proxy() -> None:
    with answering(b"") as url, pytest.raises(ProxyControlError) as refusal:
        ProxyClient(url).version()
    assert not refusal.value.is_gone
