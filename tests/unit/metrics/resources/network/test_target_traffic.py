"""Whose a connection is, and that no byte of the target's is lost or counted twice."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.resources.network.target_traffic import (
    MISSING_SAMPLES,
    NO_ADDRESS,
    TargetTraffic,
)
from perf_pipeline.metrics.resources.network.tcp_sockets import TcpSocket
from perf_pipeline.metrics.resources.network.traffic import Traffic
from perf_pipeline.servers.probe import WatchedServer
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perf_pipeline.servers.snapshot import ServerSnapshot

LOCAL = bytes([127, 0, 0, 1])
PORT = 5432
TARGET = 42
"""The target's process; it has the sockets of inodes 1000 to 1999, ours those from 2000."""

INJECTOR = 43
"""What injects failures; it has the sockets of inodes 3000 to 3999."""


class Silent:
    def ask(self) -> ServerSnapshot:
        raise NotAnsweringError("not asked")

    def close(self) -> None:
        pass


class World:
    """Connections as the kernel would report them, changed by the tests."""

    def __init__(self) -> None:
        self.open: list[TcpSocket] = []
        self.ended: list[TcpSocket] = []
        self.losses = 0
        self.cpu_s = 0.0
        self.refuses_ends = False
        self.refuses = False
        self.scans = 0

    def connections(self, ports: Sequence[int]) -> list[TcpSocket]:
        if self.refuses:
            raise PermissionError(13, "Permission denied")
        return [one for one in self.open if one.port in ports]

    def ends(self, _ports: Sequence[int]) -> World:
        if self.refuses_ends:
            raise PermissionError(13, "Permission denied")
        return self

    def take(self) -> list[TcpSocket]:
        ended, self.ended = self.ended, []
        return ended

    def close(self) -> None:
        pass

    def sockets(self, pids: Iterable[int]) -> set[int]:
        self.scans += 1
        inodes: set[int] = set()
        for pid in pids:
            first = {TARGET: 1000, INJECTOR: 3000}.get(pid, 2000)
            inodes |= set(range(first, first + 1000))
        return inodes

    def follow(self, *, shared: bool = False, helper: int = 0) -> TargetTraffic:
        servers = {"postgres": WatchedServer((), shared, Silent(), (("127.0.0.1", PORT),))}
        return TargetTraffic(
            servers,
            ours=lambda: [helper],
            connections=self.connections,
            ends=self.ends,
            sockets=self.sockets,
        )


def connection(
    cookie: int, sent: int, received: int, inode: int = 1000, address: bytes = LOCAL
) -> TcpSocket:
    return TcpSocket(cookie, inode, address, PORT, sent, received)


def read(traffic: TargetTraffic) -> Traffic:
    found, unavailable = traffic.read([TARGET])
    assert unavailable == {}
    return found["postgres"]


def test_open_connections_and_those_that_ended_add_up() -> None:
    """Two connections, one of which ends after its last sample with 30 bytes more."""
    world = World()
    traffic = world.follow()
    world.open = [connection(1, 100, 10), connection(2, 200, 20)]
    assert read(traffic) == Traffic(300, 30, begun=2)
    world.open, world.ended = [connection(1, 150, 15)], [connection(2, 230, 20, inode=0)]
    assert read(traffic) == Traffic(380, 35, begun=2, ended=1)
    assert read(traffic) == Traffic(380, 35, begun=2, ended=1)


def test_a_connection_that_no_sample_has_seen_counts_on_a_server_of_the_run_alone() -> None:
    world = World()
    traffic = world.follow()
    world.ended = [connection(1, 70, 7, inode=0), connection(2, 5, 5, address=bytes([10, 0, 0, 1]))]
    assert read(traffic) == Traffic(70, 7, begun=1, ended=1)


def test_connections_of_this_process_are_nobodys_traffic() -> None:
    """The monitor's own session, while it is open and when it ends."""
    for shared in (False, True):
        world = World()
        traffic = world.follow(shared=shared)
        world.open = [connection(1, 100, 10, inode=2000)]
        assert read(traffic) == Traffic()
        world.open, world.ended = [], [connection(1, 200, 20, inode=0)]
        assert read(traffic) == Traffic()


def test_what_injects_failures_is_not_the_target() -> None:
    """Evidence of a slow path is megabytes through it: a failure must not look like load."""
    world = World()
    traffic = world.follow(helper=INJECTOR)
    world.open = [connection(1, 100, 10), connection(2, 9_000_000, 9_000_000, inode=3001)]
    assert read(traffic) == Traffic(100, 10, begun=1)


def test_on_a_server_that_others_use_too_only_the_targets_own_sockets_count() -> None:
    """One of the target's, one of another program, and one that ends before it was looked at."""
    world = World()
    traffic = world.follow(shared=True)
    world.open = [connection(1, 100, 10, inode=1001), connection(2, 900, 90, inode=5001)]
    assert read(traffic) == Traffic(100, 10, begun=1)
    assert read(traffic) == Traffic(100, 10, begun=1)
    world.open = [connection(1, 100, 10, inode=1001)]
    world.ended = [connection(2, 999, 99, inode=0), connection(3, 50, 5, inode=0)]
    assert read(traffic) == Traffic(100, 10, begun=1, unattributed=1)


def test_descriptors_are_read_only_when_a_connection_is_new() -> None:
    world = World()
    traffic = world.follow(shared=True)
    world.open = [connection(1, 1, 1, inode=1001), connection(2, 1, 1, inode=5001)]
    for _ in range(2):
        read(traffic)
    scans = world.scans
    for _ in range(5):
        read(traffic)
    assert world.scans == scans


def test_without_reports_of_ends_what_ended_counts_until_its_last_sample() -> None:
    """It is counted how many those are, and that there may be more which no sample saw."""
    world = World()
    world.refuses_ends = True
    traffic = world.follow()
    world.open = [connection(1, 100, 10)]
    assert read(traffic).ends_unknown == "Permission denied"
    world.open = []
    for _ in range(MISSING_SAMPLES + 1):
        found = read(traffic)
    assert (found.sent_bytes, found.ended, found.ended_unread) == (100, 1, 1)


def test_a_connection_that_one_answer_of_the_kernel_lacks_is_not_counted_twice() -> None:
    world = World()
    traffic = world.follow()
    for there in (True, False, True, False, False, True):
        world.open = [connection(1, 100, 10)] if there else []
        assert read(traffic) == Traffic(100, 10, begun=1)


def test_what_cannot_be_read_has_a_reason() -> None:
    world = World()
    traffic = world.follow()
    world.refuses = True
    assert traffic.read([TARGET]) == ({}, {"postgres": "Permission denied"})
    world.refuses = False
    world.losses = 3
    assert read(traffic).lost_reports == 3
    by_path = {"redis": WatchedServer((), False, Silent())}
    assert TargetTraffic(by_path).read([TARGET]) == ({}, {"redis": NO_ADDRESS})
    nowhere = {"redis": WatchedServer((), False, Silent(), (("does-not-exist.invalid", 1),))}
    found, why = TargetTraffic(nowhere).read([TARGET])
    assert found == {}
    assert why["redis"].startswith("its address is not known: ")


CLIENT = """
import socket, sys
port, size, times = map(int, sys.argv[1:])
kept = socket.create_connection(("127.0.0.1", port))
kept.sendall(bytes(size))
kept.recv(1)
for _ in range(times):
    with socket.create_connection(("127.0.0.1", port)) as short:
        short.sendall(bytes(size))
        short.recv(1)
print(flush=True)
input()
kept.sendall(bytes(size))
kept.recv(1)
kept.close()
print(flush=True)
input()
"""


@pytest.mark.parametrize("shared", [False, True])
def test_every_byte_of_a_real_process_is_counted(shared: bool) -> None:  # noqa: FBT001 - pytest's
    """100 kB over one connection, twice, and over each of 30 that no sample ever sees.

    Where others may use the server as well, those 30 are counted and their bytes are not.
    """
    size, times = 100_000, 30
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listening.getsockname()[1]
        server = WatchedServer((), shared, Silent(), (("localhost", port),))
        traffic = stack.enter_context(closing(TargetTraffic({"redis": server})))
        own = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        stack.enter_context(listening.accept()[0])
        own.sendall(bytes(5000))
        client = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", CLIENT, str(port), str(size), str(times)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(client.kill)
        assert client.stdin is not None
        assert client.stdout is not None
        kept = _answered(listening, size)
        stack.enter_context(kept)
        for _ in range(times):
            _answered(listening, size).close()
        client.stdout.readline()
        short = 0 if shared else times
        found = _until(traffic, client.pid, ended=short, unattributed=times - short)
        _check(found, size, 1 + short)
        assert (found.begun, found.ended) == (1 + short, short)
        client.stdin.write("\n")
        client.stdin.flush()
        _receive(kept, size)
        client.stdout.readline()
        kept.close()
        found = _until(traffic, client.pid, ended=1 + short, unattributed=times - short)
        _check(found, size, 2 + short)
        assert (found.ended_unread, found.lost_reports, found.ends_unknown) == (0, 0, "")


def _answered(listening: socket.socket, size: int) -> socket.socket:
    other, _ = listening.accept()
    _receive(other, size)
    return other


def _receive(other: socket.socket, size: int) -> None:
    left = size
    while left:
        left -= len(other.recv(left))
    other.sendall(b"x")


def _until(traffic: TargetTraffic, pid: int, *, ended: int, unattributed: int) -> Traffic:
    deadline_s = time.monotonic() + 10
    while True:
        found = traffic.read([pid])[0]["redis"]
        is_there = (found.ended, found.unattributed) == (ended, unattributed)
        if is_there or time.monotonic() > deadline_s:
            assert (found.ended, found.unattributed) == (ended, unattributed)
            return found
        time.sleep(0.01)


def _check(found: Traffic, size: int, times: int) -> None:
    """The begin and the end of each connection may count as a byte each."""
    assert times * size <= found.sent_bytes <= times * (size + 2)
    assert times <= found.recv_bytes <= 3 * times
