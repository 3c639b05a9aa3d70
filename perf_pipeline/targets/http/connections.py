"""The connections of one slot: opened when a request needs one, counted, kept alive or closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection

from perf_pipeline.config.http.addresses import is_own_address
from perf_pipeline.steps import step

if TYPE_CHECKING:
    import socket
    import ssl

    from perf_pipeline.targets.http.prepared_request import PreparedRequest

CONNECT = "connect"
"""The step in which a connection is opened, with the handshake of TLS."""


class ForeignAddressError(Exception):
    """A host's name leads to an address that is neither loopback nor private, and not one's own."""


class Connections:
    """What one thread sends its requests on.

    Attributes:
        opened: How many connections were opened.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        """Open nothing yet; ``context`` is that of https."""
        self.opened = 0
        self._context = context
        self._connections: dict[tuple[object, ...], HTTPConnection] = {}

    def send(self, request: PreparedRequest, number: int) -> tuple[int, bytes]:
        """Send a request and wait for its whole answer.

        A connection that the server has closed since the last answer is opened anew. One on which
        something went wrong is closed: what arrives on it later belongs to no request.

        Returns:
            Status and body.

        Raises:
            Exception: There was no whole answer.
        """
        connection = self._connections.get(request.place)
        if connection is None:
            connection = self._connections[request.place] = self._new(request)
        try:
            self._make_ready(connection, request.timeout_s)
            connection.request(
                request.method, request.path(number), request.body(number), request.headers
            )
            answer = connection.getresponse()
            body = answer.data
        except BaseException:
            connection.close()
            raise
        if not request.is_kept_alive:
            connection.close()
        return answer.status, body

    def _make_ready(self, connection: HTTPConnection, timeout_s: float) -> None:
        connection.timeout = timeout_s  # urllib3 gives it to the socket with each request
        if connection.is_connected:
            return
        connection.close()
        with step(CONNECT):
            connection.connect()
        self.opened += 1

    def _new(self, request: PreparedRequest) -> HTTPConnection:
        if request.is_tls:
            made: HTTPConnection = _CheckedTls(
                request.host, request.port, ssl_context=self._context
            )
        else:
            made = _CheckedPlain(request.host, request.port)
        if request.is_own_host:
            made.may_go_anywhere = True  # type: ignore[attr-defined] # of both classes below
        return made


class _CheckedAddress:
    """Looks at the address of a new connection before anything is sent on it."""

    may_go_anywhere = False
    host: str
    port: int

    def __str__(self) -> str:
        """Return where it goes, which the texts of errors begin with."""
        return f"{self.host} port {self.port}"

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc] # of urllib3's connection
        address = made.getpeername()[0]
        if not self.may_go_anywhere and not is_own_address(address):
            made.close()
            raise ForeignAddressError(
                f"the host's name leads to {address}, which is neither loopback nor private; "
                "nothing was sent"
            )
        return made


class _CheckedPlain(_CheckedAddress, HTTPConnection):
    """HTTP."""


class _CheckedTls(_CheckedAddress, HTTPSConnection):
    """HTTPS, whose certificates the context checks."""
