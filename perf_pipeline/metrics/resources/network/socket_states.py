"""How many TCP sockets of some processes are in which state.

A socket that waits for its time after its end belongs to no process any more, and is not counted.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING

from perf_pipeline.host.sock_diag import CLOSE_WAIT, ESTABLISHED, LISTENING, all_tcp_sockets

if TYPE_CHECKING:
    import socket
    from collections.abc import Collection

_SOCKET = struct.Struct("=xB66xI")
"""Of ``struct inet_diag_msg``: state, and inode."""

_NAMES = {
    ESTABLISHED: "sockets_established",
    CLOSE_WAIT: "sockets_close_wait",
    LISTENING: "sockets_listening",
}
_OTHERS = "sockets_opening_or_closing"
SOCKET_STATES = (*_NAMES.values(), _OTHERS)
"""``close_wait``: the peer has ended the connection and the program has not closed its end."""


def socket_states(channel: socket.socket, inodes: Collection[int]) -> dict[str, int]:
    """Count sockets by state; each of ``SOCKET_STATES`` is there.

    Args:
        channel: To the kernel (``sock_diag.open_channel``).
        inodes: The sockets.

    Raises:
        OSError: The kernel does not answer.
    """
    found: Counter[str] = Counter(dict.fromkeys(SOCKET_STATES, 0))
    for message in all_tcp_sockets(channel):
        state, inode = _SOCKET.unpack_from(message)
        if inode in inodes:
            found[_NAMES.get(state, _OTHERS)] += 1
    return dict(found)
