"""The server that requests go to, where it is on the machine that sends them.

Without its processes, the cores that it uses look like those of other programs: every run against
a server on the same machine would be noisy, however quiet the machine is.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from perf_pipeline.config.http.addresses import addresses_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from perf_pipeline.config.http.http_request import HttpRequest

LOADED_SERVER = "http-server"
"""Its name in samples and reports, beside the names of services."""


@dataclass(frozen=True)
class LoadedServer:
    """The processes of the server that are on this machine.

    Attributes:
        pids: Those that listen, all or none; what they have started is below them.
        problem: Why they are not known; empty if they are.
    """

    pids: tuple[int, ...] = ()
    problem: str = ""


def loaded_server(requests: Iterable[HttpRequest]) -> LoadedServer | None:
    """Return the processes that listen where requests go; None if that is on other machines.

    Of another user, or in a container, they may be unknown, which ``problem`` says.
    """
    asked = dict.fromkeys((request.host, request.port) for request in requests)
    places = [(ip, port) for host, port in asked for ip in _own_addresses(host)]
    if not places:
        return None
    pids: set[int] = set()
    unknown = []
    for ip, port in places:
        found = _listeners(psutil.net_connections("tcp"), ip, port)
        pids |= {_first_of(pid, port) for pid in found if pid}
        if not found or None in found:
            unknown.append(f"{ip} port {port}")
    if unknown:
        where = ", ".join(unknown)
        return LoadedServer(problem=f"no process of this user is known to listen at {where}")
    return LoadedServer(_topmost(pids))


def _own_addresses(host: str) -> list[str]:
    """Return the addresses of a host that are this machine's; of a name the first that is."""
    own = {one.address for cards in psutil.net_if_addrs().values() for one in cards}
    try:
        found = addresses_of(host)
    except OSError:
        return []  # its requests fail, and say so
    return [one for one in found if one in own or ipaddress.ip_address(one).is_loopback][:1]


def _listeners(sockets: Iterable[Any], ip: str, port: int) -> set[int | None]:
    """Return the process of each socket that listens at an address, or at all addresses."""
    found: set[int | None] = set()
    for one in sockets:
        if one.status != psutil.CONN_LISTEN or one.laddr.port != port:
            continue
        address = ipaddress.ip_address(one.laddr.ip.partition("%")[0])
        if address.is_unspecified or str(address) == ip:
            found.add(one.pid)
    return found


def _first_of(pid: int, port: int) -> int:
    """Return the first process that has a socket: those that it has started share it."""
    with suppress(psutil.Error):
        for parent in psutil.Process(pid).parents():
            if not any(
                one.status == psutil.CONN_LISTEN and one.laddr.port == port
                for one in parent.net_connections("tcp")
            ):
                break
            pid = parent.pid
    return pid


def _topmost(pids: Collection[int]) -> tuple[int, ...]:
    """Leave out the processes that another one of them has started: they are below it."""
    found = []
    for pid in sorted(pids):
        try:
            above = {parent.pid for parent in psutil.Process(pid).parents()}
        except psutil.Error:
            continue  # it has just ended
        if not above & set(pids):
            found.append(pid)
    return tuple(found)
