"""Where a proxy accepts connections: an address for clients, one for whoever looks at the path.

Evidence of a failure goes the way of the workers, through the same toxics. It has a listener of its
own so that its connections and bytes are never taken for theirs, and so that the random choices for
their connections do not depend on how often somebody looks.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from perf_pipeline.faults.proxy.connection import Side

LOOPBACK = "127.0.0.1"
PROBE_LOOPBACK = "127.0.0.2"
"""Linux gives every address of 127.0.0.0/8 to the loopback interface."""

BACKLOG = 1024


class Accept(Protocol):
    """Takes a connection that was accepted, and returns its protocol."""

    def __call__(self, *, is_probe: bool) -> Side:
        """Take one of a client, or of a probe."""


class Listeners:
    """The listening sockets of a proxy: both, or none."""

    def __init__(self, accept: Accept) -> None:
        """Prepare; nothing listens yet.

        Args:
            accept: Called for each connection.
        """
        self._accept = accept
        self._servers: list[asyncio.Server] = []

    @property
    def are_open(self) -> bool:
        """Connections are accepted."""
        return bool(self._servers)

    async def open(self, port: int) -> int:
        """Accept connections on a port, 0 for a free one.

        Returns:
            The port.

        Raises:
            OSError: Something else listens there.
        """
        with ExitStack() as stack:
            clients = stack.enter_context(_bound(LOOPBACK, port))
            port = clients.getsockname()[1]
            probes = stack.enter_context(_bound(PROBE_LOOPBACK, port))
            stack.pop_all()
        loop = asyncio.get_running_loop()
        for listener, is_probe in ((clients, False), (probes, True)):
            accept = partial(self._accept, is_probe=is_probe)
            # Not started before it is known here: ``close`` may come at any await.
            server = await loop.create_server(
                accept, sock=listener, backlog=BACKLOG, start_serving=False
            )
            self._servers.append(server)
        for server in list(self._servers):
            if server in self._servers:
                await server.start_serving()
        return int(port)

    def close(self) -> None:
        """Refuse connections; again is fine."""
        for server in self._servers:
            server.close()
        self._servers.clear()


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
