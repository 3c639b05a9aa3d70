"""One client that asks for much and reads little, over a pair of sockets."""

from __future__ import annotations

import socket

import pytest

from perf_pipeline.faults.slow_reads.slow_client import Request, SlowClient


def pair(request: Request | None) -> tuple[SlowClient, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    client = SlowClient(ours, request or (lambda: None), ours.close)
    client.start()
    return client, theirs


def test_requests_are_sent_until_enough_answers_are_out() -> None:
    """Three of 100 bytes make 250 and more; what is read makes room for others."""
    client, server = pair(Request(b"r" * 100, answer_bytes=100, ahead_bytes=10_000))
    client.ask(ahead_bytes=250)
    assert server.recv(10_000) == b"r" * 300
    client.ask(ahead_bytes=250)
    with pytest.raises(BlockingIOError):
        server.recv(10_000)
    server.send(b"a" * 100)
    client.read(60)
    client.ask(ahead_bytes=250)
    assert server.recv(10_000) == b"r" * 100


def test_no_more_is_read_than_the_rate_allows() -> None:
    client, server = pair(None)
    server.send(b"a" * 1000)
    client.read(10)
    assert client.connection.recv(10_000) == b"a" * 990


def test_a_server_that_hangs_up_is_noticed() -> None:
    client, server = pair(None)
    server.close()
    with pytest.raises(ConnectionResetError):
        client.read(10)


def test_no_more_answers_are_out_than_a_request_allows() -> None:
    """Two requests of ten bytes have answers of 2000 bytes."""
    client, server = pair(Request(b"r" * 10, answer_bytes=1000, ahead_bytes=2000))
    client.ask(ahead_bytes=1 << 30)
    assert server.recv(10_000) == b"r" * 20
