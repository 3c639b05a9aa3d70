"""The TCP connections of this machine, each with the bytes that it carried, as the kernel counts.

``sock_diag`` answers two questions without any privilege: which connections are there, and (by a
multicast group) which one has just ended, with its final counts. So a connection that begins and
ends between two samples loses nothing.

Bytes are payload: with the protocol of the server and with TLS, without headers of TCP and without
what was sent twice. The kernel counts the begin and the end of a connection as a byte each.

Source: Linux, include/uapi/linux/inet_diag.h and tcp.h (``struct tcp_info``); RFC 4898 for what the
two counters are. The messages are those of ``host/sock_diag.py``.
"""

from __future__ import annotations

import errno
import socket
import struct
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.host.sock_diag import (
    ANSWER_BYTES,
    ATTRIBUTE,
    INFO,
    SOCKET,
    aligned,
    messages,
    open_channel,
    tcp_sockets,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDED_GROUPS = 0b101
"""Ends of TCP connections over IPv4 (group 1) and IPv6 (group 3)."""

_SOCKET = struct.Struct("=B5x2s16x16s4xQ16xI")
_BYTES = struct.Struct("=QQ")
_BYTES_AT = 120
_MAPPED = bytes(10) + b"\xff\xff"

_WAITING_BYTES = 4 << 20
_FORCE_BUFFER = 33
"""SO_RCVBUFFORCE, which the module socket does not name."""

_DRAIN_S = 0.02

TOO_OLD = "this kernel does not count the bytes of TCP connections (4.1 and newer do)"


class TcpSocket(NamedTuple):
    """One end of a TCP connection.

    Attributes:
        cookie: Identifies it for as long as the machine runs.
        inode: Identifies it among open files; 0 once no process has it open.
        address: Of its peer, 4 or 16 bytes; IPv4 within IPv6 is IPv4.
        port: Of its peer.
        sent_bytes: That the peer has acknowledged.
        recv_bytes: From the peer.
    """

    cookie: int
    inode: int
    address: bytes
    port: int
    sent_bytes: int
    recv_bytes: int


def connections_to(ports: Sequence[int]) -> list[TcpSocket]:
    """Return the connections of all programs of this network namespace to some ports.

    Raises:
        OSError: The kernel does not answer, or does not count.
    """
    with closing(open_channel()) as channel:
        sockets = tcp_sockets(channel, ports, end="peer", with_info=True)
        return [found for message in sockets if (found := _socket_of(message)) is not None]


class EndedConnections:
    """Collects the connections to some ports that end, from its creation on."""

    def __init__(self, ports: Sequence[int]) -> None:
        """Listen from now on.

        Raises:
            OSError: The kernel does not report ends.
        """
        self._ports = frozenset(ports)
        self._channel = open_channel()
        try:
            self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WAITING_BYTES)
            with suppress(OSError):  # more than the system's limit needs a privilege
                self._channel.setsockopt(socket.SOL_SOCKET, _FORCE_BUFFER, _WAITING_BYTES)
            self._channel.bind((0, _ENDED_GROUPS))
        except OSError:
            self._channel.close()
            raise
        self._channel.setblocking(False)
        self._lock = threading.Lock()
        self._ended: list[TcpSocket] = []
        self._losses = 0
        self._cpu_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ended-connections", daemon=True)
        self._thread.start()

    @property
    def losses(self) -> int:
        """How many times the kernel had to drop reports, as nobody had read the others."""
        return self._losses

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the thread that reads them."""
        return self._cpu_s

    def take(self) -> list[TcpSocket]:
        """Return what has ended since the last call, with final counts."""
        self._drain()
        with self._lock:
            ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join()
        self._channel.close()

    def _run(self) -> None:
        while not self._stop.wait(_DRAIN_S):
            self._drain()
            self._cpu_s = time.thread_time()

    def _drain(self) -> None:
        with self._lock:
            while True:
                try:
                    data = self._channel.recv(ANSWER_BYTES)
                except BlockingIOError:
                    return
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    self._losses += 1
                    continue
                for kind, message in messages(data):
                    found = _socket_of(message) if kind == SOCKET else None
                    if found is not None and found.port in self._ports:
                        self._ended.append(found)


def _socket_of(message: memoryview) -> TcpSocket | None:
    """Read one socket; None of one that the kernel keeps no counters of."""
    family, port, address, cookie, inode = _SOCKET.unpack_from(message)
    at = _SOCKET.size
    while at + ATTRIBUTE.size <= len(message):
        size, kind = ATTRIBUTE.unpack_from(message, at)
        if kind == INFO:
            if size < ATTRIBUTE.size + _BYTES_AT + _BYTES.size:
                raise OSError(errno.ENOTSUP, TOO_OLD)
            counts = _BYTES.unpack_from(message, at + ATTRIBUTE.size + _BYTES_AT)
            peer = _address(family, address)
            return TcpSocket(cookie, inode, peer, int.from_bytes(port, "big"), *counts)
        at += max(aligned(size), ATTRIBUTE.size)
    return None


def _address(family: int, address: bytes) -> bytes:
    if family == socket.AF_INET:
        return address[:4]
    return address.removeprefix(_MAPPED) if address.startswith(_MAPPED) else address
