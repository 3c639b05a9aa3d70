"""What a server has sent and its clients have not taken, as the kernel counts it."""

from __future__ import annotations

import struct
from contextlib import closing
from typing import TYPE_CHECKING

from perf_pipeline.host.sock_diag import open_channel, tcp_sockets

if TYPE_CHECKING:
    from collections.abc import Collection

_SOCKET = struct.Struct("=xB4x2s52xI")
"""State, port of the peer, and bytes that it has not acknowledged (``idiag_wqueue``)."""

_ESTABLISHED = 1


def send_queues(server_port: int, client_ports: Collection[int]) -> dict[int, int | None]:
    """Return what waits in the send queue of the server's end of each connection.

    Args:
        server_port: Where the server listens, on this machine.
        client_ports: The clients' ends.

    Returns:
        A client's port to bytes; to None where one of both has closed its end and the kernel still
        has something to deliver. Connections that are gone are left out.

    Raises:
        OSError: The kernel does not answer.
    """
    queues: dict[int, int | None] = {}
    with closing(open_channel()) as channel:
        for message in tcp_sockets(channel, [server_port], end="own"):
            state, port, waiting_bytes = _SOCKET.unpack_from(message)
            remote = int.from_bytes(port, "big")
            if remote in client_ports:
                queues[remote] = waiting_bytes if state == _ESTABLISHED else None
    return queues
