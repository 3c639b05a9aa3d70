"""Sockets of a process are counted by state, and nobody else's."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, closing

from perf_pipeline.host.sock_diag import open_channel
from perf_pipeline.metrics.resources.network.socket_owners import sockets_of
from perf_pipeline.metrics.resources.network.socket_states import SOCKET_STATES, socket_states


def _states() -> dict[str, int]:
    with closing(open_channel()) as channel:
        return socket_states(channel, sockets_of([os.getpid()]))


def test_sockets_are_counted_by_their_state() -> None:
    """A server and three connections with both ends here; one client ends, unanswered.

    Of that connection one end waits for its program to close it; the other is the kernel's alone.
    """
    before = _states()
    assert tuple(before) == SOCKET_STATES
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        clients = [
            stack.enter_context(socket.create_connection(server.getsockname())) for _ in range(3)
        ]
        accepted = [stack.enter_context(server.accept()[0]) for _ in clients]
        opened = _states()
        clients[0].close()
        assert accepted[0].recv(1) == b""  # the end has arrived
        ended = _states()
    grown = {name: opened[name] - count for name, count in before.items()}
    assert grown == {
        "sockets_established": 6,
        "sockets_close_wait": 0,
        "sockets_listening": 1,
        "sockets_opening_or_closing": 0,
    }
    assert ended["sockets_established"] - before["sockets_established"] == 4
    assert ended["sockets_close_wait"] - before["sockets_close_wait"] == 1
    assert _states() == before


def test_sockets_of_others_are_not_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)), closing(open_channel()) as channel:
        assert set(socket_states(channel, {0}).values()) == {0}
