"""Which addresses may be loaded without being asked: loopback and private ones.

Load on somebody else's server is an attack. So a host outside of the networks below is loaded only
where the command line says whose it is, and a worker process looks at the address of each of its
connections before it sends anything.

Imported in the target's process as well: standard library only.

Source:
    RFC 1918 (private IPv4), RFC 4193 (unique local IPv6), RFC 6890 (loopback).
"""

from __future__ import annotations

import ipaddress
import socket

_OWN = tuple(
    map(
        ipaddress.ip_network,
        ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
    )
)
"""Link-local addresses are not among them: in clouds, one of them hands out credentials."""


def is_own_address(text: str) -> bool:
    """Return whether an IP address is loopback or private.

    Raises:
        ValueError: The text is no IP address.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return any(address in network for network in _OWN if network.version == address.version)


def addresses_of(host: str) -> tuple[str, ...]:
    """Return every IP address of a host name, or the address that it is.

    Raises:
        OSError: The name has no address, or no server for names answers.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long
        raise OSError(f"{host!r} is no host name") from error
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))
