"""A connection through the proxy: the client's side, the server's side, and a link each way."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, cast

from perf_pipeline.faults.proxy.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.faults.proxy.decisions import Decisions
    from perf_pipeline.faults.proxy.stages import Piece
    from perf_pipeline.faults.proxy.toxics import Stream, Toxic

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER by which a close sends a reset."""

CONNECT_S = 10.0
"""How long the server may take to accept a connection."""


class Side(asyncio.Protocol):
    """One of the two TCP connections that a connection through the proxy consists of.

    Attributes:
        transport: Once it is connected.
        outgoing: Takes what this side sends, once both sides are connected.
        incoming: Brings what the other side sent, likewise.
    """

    transport: asyncio.Transport
    outgoing: Link | None = None
    incoming: Link | None = None

    def __init__(
        self, connected: Callable[[Side], None], lost: Callable[[Exception | None], None]
    ) -> None:
        """Wait for the connection.

        Args:
            connected: Called once it is connected.
            lost: Called once it is gone, with the error that ended it.
        """
        self._connected = connected
        self._lost = lost
        self._early: list[Piece] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.pause_reading()  # until there are links
        self._connected(self)

    def data_received(self, data: bytes) -> None:
        """Pass on what this side sent."""
        self._take(data)

    def eof_received(self) -> bool:
        """Pass on that this side sends nothing more; it may still receive."""
        self._take(None)
        return True

    def join(self, outgoing: Link, incoming: Link) -> None:
        """Take the links of both directions."""
        self.outgoing, self.incoming = outgoing, incoming

    def begin(self) -> None:
        """Pass on what came before there were links, and read on."""
        early, self._early = self._early, []
        for piece in early:
            self._take(piece)
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        """Have the other side wait."""
        if self.incoming is not None:
            self.incoming.sink_is_full(is_full=True)

    def resume_writing(self) -> None:
        """Have the other side go on."""
        if self.incoming is not None:
            self.incoming.sink_is_full(is_full=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection."""
        self._lost(exc)

    def close(self, *, with_reset: bool) -> None:
        """Close after what is still to be written, or with a reset at once."""
        if with_reset:
            connected: socket.socket = self.transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.transport.abort()
        else:
            self.transport.close()

    def _take(self, piece: Piece) -> None:
        if self.outgoing is None:
            self._early.append(piece)
        else:
            self.outgoing.take(piece)


class Connection:
    """One client's connection through a proxy.

    Attributes:
        proxy: Name of the proxy.
        number: Counts the connections of clients from 0 on, those of probes from -1 down.
        client: The side that came first.
    """

    def __init__(
        self,
        proxy: str,
        number: int,
        *,
        decisions: Decisions,
        loop: asyncio.AbstractEventLoop,
        begun: Callable[[Connection], None],
        ended: Callable[[Connection], None],
    ) -> None:
        """Wait for the client's side.

        Args:
            proxy: Name of the proxy.
            number: Of the connection.
            decisions: Source of random choices.
            loop: The event loop.
            begun: Called once the client is connected.
            ended: Called once it is gone.
        """
        self.proxy = proxy
        self.number = number
        self.client = Side(self._client_connected, self._lost)
        self._decisions = decisions
        self._loop = loop
        self._begun = begun
        self._ended = ended
        self._links: tuple[Link, ...] = ()
        self._sides: list[Side] = []
        self._is_gone = False

    async def connect(self, host: str, port: int, toxics: Sequence[Toxic]) -> None:
        """Connect to the server, and carry data from then on.

        Args:
            host: Of the server.
            port: Of the server.
            toxics: What acts on it.

        Raises:
            OSError: The server does not accept it.
        """
        server = Side(self._sides.append, self._lost)
        connecting = self._loop.create_connection(lambda: server, host, port)
        await asyncio.wait_for(connecting, CONNECT_S)
        if self._is_gone:  # the client, meanwhile
            server.close(with_reset=False)
            return
        up = self._link("upstream", self.client, server)
        down = self._link("downstream", server, self.client)
        self.client.join(up, down)
        server.join(down, up)
        self._links = (up, down)
        self.add_toxics(toxics)
        for side in self._sides:
            side.begin()

    def add_toxics(self, toxics: Sequence[Toxic]) -> None:
        """Have toxics act on it."""
        for link in self._links:
            link.add(toxics)

    def change_toxic(self, toxic: Toxic) -> None:
        """Have a toxic act on it as it is now."""
        for link in self._links:
            link.change(toxic)

    def remove_toxic(self, name: str) -> None:
        """Have a toxic no longer act on it."""
        for link in self._links:
            link.remove(name)

    def close(self) -> None:
        """Close both sides."""
        self._end(with_reset=False)

    def reset(self) -> None:
        """Reset both sides."""
        self._end(with_reset=True)

    def link_ended(self) -> None:
        """Close both sides once each has sent everything and the other has it."""
        if all(link.has_ended for link in self._links):
            self.close()

    def _client_connected(self, side: Side) -> None:
        if self._is_gone:  # the proxy was stopped meanwhile
            side.close(with_reset=False)
            return
        self._sides.append(side)
        self._begun(self)

    def _link(self, stream: Stream, source: Side, sink: Side) -> Link:
        return Link(
            self,
            stream,
            source.transport,
            sink.transport,
            decisions=self._decisions,
            loop=self._loop,
        )

    def _lost(self, error: Exception | None) -> None:
        """End both sides when one is gone; an error of one side is a reset for the other."""
        self._end(with_reset=error is not None)

    def _end(self, *, with_reset: bool) -> None:
        if self._is_gone:
            return
        self._is_gone = True
        for link in self._links:
            link.stop()
        for side in self._sides:
            side.close(with_reset=with_reset)
        self._ended(self)
