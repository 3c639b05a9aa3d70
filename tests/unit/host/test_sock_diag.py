"""The kernel lists the sockets that are asked for, by either end."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing

import pytest

from perf_pipeline.host.sock_diag import open_channel, tcp_sockets


@pytest.mark.parametrize(("end", "at"), [("own", 4), ("peer", 6)])
def test_sockets_are_asked_for_by_the_port_of_their_own_end_or_of_their_peers(
    end: str, at: int
) -> None:
    """Two servers with one and two connections; ports are in the order of the network."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        for server in (servers[0], *[servers[1]] * 2):
            address = server.getsockname()
            stack.enter_context(socket.create_connection(address))
            stack.enter_context(server.accept()[0])
        one, two = (server.getsockname()[1] for server in servers)
        channel = stack.enter_context(closing(open_channel()))
        found = [
            int.from_bytes(message[at : at + 2], "big")
            for message in tcp_sockets(channel, [one, two], end=end)  # type: ignore[arg-type]
        ]
    assert sorted(found) == sorted([one, two, two])
