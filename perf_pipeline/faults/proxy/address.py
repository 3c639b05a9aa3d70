"""Addresses as requests of the API write them."""

from __future__ import annotations

from perf_pipeline.faults.proxy.api_error import bad_body
from perf_pipeline.faults.proxy.listeners import LOOPBACK

_PORTS = 65536


def address_of(text: object, what: str, *, lowest_port: int) -> tuple[str, int]:
    """Return host and port of ``host:port``; without a host, of this machine.

    Args:
        text: What a request says.
        what: The field that says it.
        lowest_port: 0 where any free port may be asked for, else 1.

    Raises:
        ApiError: It is none.
    """
    host, colon, port = str(text).rpartition(":")
    if not colon or not port.isdecimal() or not lowest_port <= int(port) < _PORTS:
        raise bad_body(f"{what} is {text!r:.60}, not host:port")
    return host.strip("[]") or LOOPBACK, int(port)
