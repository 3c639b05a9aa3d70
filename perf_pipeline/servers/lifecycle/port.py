"""Free loopback ports for the servers that we start."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
_LOWEST = 10_240
_HIGHEST = 65_535
_ENOUGH = 1000
"""With fewer ports than this below the ephemeral range, those above it are used as well."""


def ephemeral_range(proc: Path = Path("/proc")) -> tuple[int, int]:
    """Return the first and the last port that the kernel gives to outgoing connections."""
    text = (proc / "sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    first, last = text.split()
    return int(first), int(last)


def free_ports(rng: random.Random, ephemeral: tuple[int, int]) -> Iterator[int]:
    """Draw loopback ports on which no server listens, outside the ephemeral range.

    Inside it, one of the thousands of outgoing connections of a load test could take the port
    between our check and the server's bind, or while a server restarts. A port may still be taken
    by another server in that time, so the caller tries the next one.

    Args:
        rng: Source of randomness, not that of the run: two runs must not try the same ports.
        ephemeral: First and last ephemeral port.

    Yields:
        Ports in random order, each free when it was checked.

    Raises:
        OSError: A bind failed for another reason than that the port is taken.
    """
    first, last = ephemeral
    ports = list(range(_LOWEST, min(first, _HIGHEST + 1)))
    if len(ports) < _ENOUGH:
        ports += range(max(last + 1, _LOWEST), _HIGHEST + 1)
    if len(ports) < _ENOUGH:  # the whole range is ephemeral here: a conflict means another try
        ports = list(range(_LOWEST, _HIGHEST + 1))
    for port in rng.sample(ports, len(ports)):
        if is_free(port):
            yield port


def is_free(port: int) -> bool:
    """Return whether a server could bind to a loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set it too: without it ports with closing connections would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True
