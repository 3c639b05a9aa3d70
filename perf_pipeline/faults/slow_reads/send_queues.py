"""What a server has sent and its clients have not taken, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_ESTABLISHED, _TIME_WAIT = "01", "06"
_LOCAL, _REMOTE, _STATE, _QUEUES = 1, 2, 3, 4


def send_queues(
    server_port: int, client_ports: Collection[int], proc: Path = Path("/proc")
) -> dict[int, int | None]:
    """Return what waits in the send queue of the server's end of each connection.

    Args:
        server_port: Where the server listens, on this machine.
        client_ports: The clients' ends.
        proc: Where the kernel tells.

    Returns:
        A client's port to bytes; to None where the server has closed its end and the kernel still
        has something to deliver. Connections that are gone are left out.

    Source:
        proc(5), /proc/net/tcp: addresses and queues are hexadecimal.
    """
    queues: dict[int, int | None] = {}
    servers_end = f":{server_port:04X} "
    for name in ("tcp", "tcp6"):
        path = proc / "self/net" / name
        if not path.exists():
            continue
        for line in path.read_text(encoding="ascii").splitlines()[1:]:
            if servers_end not in line:
                continue  # of many thousands, most
            words = line.split()
            local, remote = (
                int(words[column].rpartition(":")[2], 16) for column in (_LOCAL, _REMOTE)
            )
            if local == server_port and remote in client_ports and words[_STATE] != _TIME_WAIT:
                waiting = int(words[_QUEUES].partition(":")[0], 16)
                queues[remote] = waiting if words[_STATE] == _ESTABLISHED else None
    return queues
