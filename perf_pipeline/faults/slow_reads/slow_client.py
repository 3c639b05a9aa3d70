"""One client that asks for much and reads little."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

RECEIVE_BYTES = 4096
"""Of the kernel's buffer for what was not read yet: what is more waits at the server."""

_PIECE_BYTES = 65_536


@dataclass(frozen=True)
class Request:
    """What is asked again and again, where no query has an answer without end.

    Attributes:
        text: As the protocol has it.
        answer_bytes: Length of its answer, at least.
        ahead_bytes: Answers of so much may be out.
    """

    text: bytes
    answer_bytes: int
    ahead_bytes: int


@dataclass(eq=False)
class SlowClient:
    """A connection that is logged in, and is going to ask.

    Attributes:
        connection: Where answers arrive; not blocking.
        begin: Asks what has an answer without end, or else what is asked again and again.
        close: Ends the connection.
    """

    connection: socket.socket
    begin: Callable[[], object] | Request
    close: Callable[[], object]
    _request: Request | None = field(default=None, init=False)
    _unsent: bytes = field(default=b"", init=False)
    _unread_bytes: int = field(default=0, init=False)

    @property
    def port(self) -> int:
        """The port of this end."""
        return int(self.connection.getsockname()[1])

    def start(self) -> None:
        """Begin to ask.

        Raises:
            OSError: The server ended the connection.
        """
        if isinstance(self.begin, Request):
            self._request = self.begin
        else:
            self.begin()

    def ask(self, ahead_bytes: int) -> None:
        """Send what the server takes, until answers of ``ahead_bytes`` are out.

        Args:
            ahead_bytes: No more than the request allows, and one answer at least.

        Raises:
            OSError: The server ended the connection.
        """
        if self._request is None:
            return
        most_bytes = min(ahead_bytes, self._request.ahead_bytes)
        while self._unsent or self._unread_bytes < most_bytes:
            if not self._unsent:
                self._unsent = self._request.text
                self._unread_bytes += self._request.answer_bytes
            try:
                sent = self.connection.send(self._unsent)
            except BlockingIOError:
                return
            self._unsent = self._unsent[sent:]

    def read(self, count_bytes: int) -> None:
        """Read at most so much, and forget it.

        Raises:
            OSError: The server ended the connection.
        """
        left_bytes = count_bytes
        while left_bytes > 0:
            try:
                piece = self.connection.recv(min(left_bytes, _PIECE_BYTES))
            except BlockingIOError:
                return
            if not piece:
                raise ConnectionResetError("the server ended the connection")
            left_bytes -= len(piece)
            self._unread_bytes -= len(piece)
