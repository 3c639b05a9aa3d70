"""What waits in the server for clients that do not read, on real loopback connections."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress

import pytest

from perf_pipeline.faults.slow_reads.send_queues import send_queues
from tests.sandbox import until

_WAIT_S = 5.0


class Connected:
    """A server on loopback with clients that never read."""

    def __init__(self, stack: ExitStack, family: int, count: int) -> None:
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        try:
            listening = stack.enter_context(socket.create_server((host, 0), family=family))
        except OSError:
            pytest.skip("no IPv6 here")
        self.port: int = listening.getsockname()[1]
        self.clients, self.ends = [], []
        for _ in range(count):
            client = stack.enter_context(socket.socket(family))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((host, self.port))
            self.clients.append(client)
            self.ends.append(stack.enter_context(listening.accept()[0]))

    def ports(self) -> list[int]:
        return [client.getsockname()[1] for client in self.clients]

    def fill(self, at: int) -> int:
        """Send a client more than both kernels' buffers take; how much was sent."""
        self.ends[at].setblocking(False)
        sent_bytes = 0
        with suppress(BlockingIOError):
            while True:
                sent_bytes += self.ends[at].send(bytes(65_536))
        return sent_bytes


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_the_queue_of_the_servers_end_of_each_client_is_read(family: int) -> None:
    """Of four clients one has something waiting, one was closed by its server, one is another's."""
    with ExitStack() as stack:
        served = Connected(stack, family, 4)
        first, second, closed, others = served.ports()
        sent_bytes = served.fill(0)
        served.ends[2].close()
        wanted = {first, second, closed}

        def queues() -> dict[int, int | None]:
            return send_queues(served.port, wanted)

        assert until(lambda: queues().get(closed, 0) is None, _WAIT_S)
        found = queues()
        assert found.keys() == wanted
        assert others not in found
        assert found[second] == 0
        waiting_bytes = found[first]
        assert waiting_bytes is not None
        assert 16_384 < waiting_bytes < sent_bytes


def test_a_connection_that_is_gone_has_no_queue() -> None:
    """It was reset, so nothing of it is left to wait for."""
    with ExitStack() as stack:
        served = Connected(stack, socket.AF_INET, 1)
        (port,) = served.ports()
        assert send_queues(served.port, {port}) == {port: 0}
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        served.ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        served.ends[0].close()
        assert until(lambda: send_queues(served.port, {port}) == {}, _WAIT_S)


def test_without_clients_there_are_no_queues() -> None:
    """A sham failure opens none."""
    with ExitStack() as stack:
        served = Connected(stack, socket.AF_INET, 1)
        assert send_queues(served.port, set()) == {}
