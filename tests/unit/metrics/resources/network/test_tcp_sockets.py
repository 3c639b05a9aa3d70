"""The kernel's count of each connection's bytes, on real loopback connections."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from perf_pipeline.metrics.resources.network.tcp_sockets import (
    EndedConnections,
    TcpSocket,
    connections_to,
)

SENT, RECEIVED = 1_000_000, 70_000
CONNECTIONS = 200


class Loopback:
    """A listening socket, and connections to it whose other ends are here too."""

    def __init__(self, stack: ExitStack, family: int = socket.AF_INET) -> None:
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self._listening = stack.enter_context(socket.create_server((host, 0), family=family))
        self.port: int = self._listening.getsockname()[1]
        self._host = host

    def connect(self, stack: ExitStack) -> tuple[socket.socket, socket.socket]:
        client = stack.enter_context(socket.create_connection((self._host, self.port)))
        return client, stack.enter_context(self._listening.accept()[0])


def _exchange(client: socket.socket, server: socket.socket) -> None:
    for one, other, size in ((client, server, SENT), (server, client, RECEIVED)):
        left = size
        view = memoryview(bytes(size))
        while left:
            one.sendall(view[:10_000])
            view = view[10_000:]
            left -= len(other.recv(10_000, socket.MSG_WAITALL))


def _wait_for(ends: EndedConnections, number: int) -> list[TcpSocket]:
    ended: list[TcpSocket] = []
    deadline_s = time.monotonic() + 10
    while len(ended) < number and time.monotonic() < deadline_s:
        ended += ends.take()
        time.sleep(0.005)
    return ended


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_an_open_connection_has_its_bytes_and_its_owners_inode(family: int) -> None:
    """A megabyte there, 70 kB back; the begin of a connection counts as one byte."""
    with ExitStack() as stack:
        try:
            loopback = Loopback(stack, family)
        except OSError:
            pytest.skip("no IPv6 here")
        client, server = loopback.connect(stack)
        _exchange(client, server)
        (found,) = connections_to([loopback.port])
        assert found.inode == os.fstat(client.fileno()).st_ino
        assert found.port == loopback.port
        assert found.address == socket.inet_pton(family, client.getpeername()[0])
        assert SENT <= found.sent_bytes <= SENT + 1
        assert RECEIVED <= found.recv_bytes <= RECEIVED + 1


def test_ipv4_within_ipv6_is_the_address_of_ipv4() -> None:
    with ExitStack() as stack:
        loopback = Loopback(stack)
        try:
            client = stack.enter_context(socket.socket(socket.AF_INET6))
            client.connect(("::ffff:127.0.0.1", loopback.port))
        except OSError:
            pytest.skip("no IPv6 here")
        (found,) = connections_to([loopback.port])
        assert found.address == bytes([127, 0, 0, 1])


def test_the_kernel_gives_the_connections_to_the_wanted_ports_alone() -> None:
    """Five servers with 1 to 5 connections; every choice of ports finds those."""
    with ExitStack() as stack:
        servers = [Loopback(stack) for _ in range(5)]
        for number, server in enumerate(servers, 1):
            for _ in range(number):
                server.connect(stack)
        sizes = {server.port: number for number, server in enumerate(servers, 1)}
        for wanted in ([0], [4], [0, 2], [4, 1, 3], [0, 1, 2, 3, 4]):
            ports = [servers[one].port for one in wanted]
            found = [one.port for one in connections_to(ports)]
            assert {port: found.count(port) for port in ports} == {
                port: sizes[port] for port in ports
            }
            assert len(found) == sum(sizes[port] for port in ports)


def test_a_connection_that_ended_is_reported_with_its_last_bytes() -> None:
    """Whichever end closes first, and also after a reset; each end counts as a byte."""
    with ExitStack() as stack:
        loopback = Loopback(stack)
        ends = stack.enter_context(closing(EndedConnections([loopback.port])))
        for first in ("client", "server", "reset"):
            client, server = loopback.connect(stack)
            _exchange(client, server)
            (open_one,) = connections_to([loopback.port])
            if first == "reset":
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            for one in (client, server) if first == "client" else (server, client):
                one.close()
            (ended,) = _wait_for(ends, 1)
            assert ended.cookie == open_one.cookie
            assert SENT <= ended.sent_bytes <= SENT + 2
            assert RECEIVED <= ended.recv_bytes <= RECEIVED + 2
        assert connections_to([loopback.port]) == []


def test_short_connections_are_all_reported() -> None:
    """200 that begin and end at once, and another server's, which is not asked for."""
    with ExitStack() as stack:
        loopback, other = Loopback(stack), Loopback(stack)
        ends = stack.enter_context(closing(EndedConnections([loopback.port])))
        ended: list[TcpSocket] = []
        for number in range(CONNECTIONS):
            for server in (loopback, other):
                with ExitStack() as pair:
                    client, _ = server.connect(pair)
                    client.sendall(bytes(number))
            ended += ends.take()
        ended += _wait_for(ends, CONNECTIONS - len(ended))
        assert len({one.cookie for one in ended}) == len(ended) == CONNECTIONS
        total = sum(range(CONNECTIONS))
        assert total <= sum(one.sent_bytes for one in ended) <= total + 2 * CONNECTIONS
        assert ends.losses == 0


def test_reports_that_the_kernel_drops_are_counted() -> None:
    """Nobody reads them while 50 connections end; the buffer holds fewer."""
    with ExitStack() as stack:
        loopback = Loopback(stack)
        ends = EndedConnections([loopback.port])
        stack.callback(ends.close)
        ends._channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with ends._lock:
            for _ in range(50):
                with ExitStack() as pair:
                    loopback.connect(pair)
            deadline_s = time.monotonic() + 10
            while not _drops(ends._channel) and time.monotonic() < deadline_s:
                time.sleep(0.005)
        _wait_for(ends, 1)
        assert ends.losses > 0


def _drops(channel: socket.socket) -> int:
    """Return how many reports the kernel has dropped, as it says itself."""
    inode = str(os.fstat(channel.fileno()).st_ino)
    rows = [line.split() for line in Path("/proc/net/netlink").read_text().splitlines()]
    (drops,) = [int(row[8]) for row in rows if row[9] == inode]
    return drops


def test_a_port_that_nobody_uses_has_no_connections() -> None:
    with ExitStack() as stack:
        port = Loopback(stack).port
    assert connections_to([port]) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_no_privilege_is_needed() -> None:
    """A process that has become nobody sees this process's connection and hears of its end."""
    code = """
import os, sys, time
from perf_pipeline.metrics.resources.network.tcp_sockets import EndedConnections, connections_to
port = int(sys.argv[1])
os.setuid(65534)
ends = EndedConnections([port])
print(len(connections_to([port])), flush=True)
deadline_s = time.monotonic() + 10
while not (ended := ends.take()) and time.monotonic() < deadline_s:
    time.sleep(0.005)
print(len(ended))
ends.close()
"""
    with ExitStack() as stack:
        loopback = Loopback(stack)
        client, server = loopback.connect(stack)
        nobody = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", code, str(loopback.port)],
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert nobody.stdout is not None
        assert nobody.stdout.readline() == "1\n"
        client.close()
        server.close()
        assert nobody.stdout.read() == "1\n"
