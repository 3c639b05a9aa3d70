"""The addresses of servers as the kernel shows those of connections."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def resolved(addresses: Iterable[tuple[str, int]]) -> list[tuple[bytes, int]]:
    """Return each address with its port; a name of a host may have several.

    Raises:
        OSError: A name is not known.
    """
    return [
        (_packed(str(found[0])), port)
        for host, port in addresses
        for *_, found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ]


def _packed(address: str) -> bytes:
    """Return 4 or 16 bytes; IPv4 within IPv6 is IPv4."""
    found = ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).packed
