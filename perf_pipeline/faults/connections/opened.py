"""Opening one connection of many to a server: what each service implements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class LimitReachedError(Exception):
    """The server refused a connection because it has as many as it accepts; its own words."""


class Connections(Protocol):
    """The connections of one server.

    Attributes:
        OPENERS: Threads that open connections side by side.
    """

    OPENERS: int

    def limit(self) -> int:
        """Return how many connections the server accepts.

        Raises:
            FaultRefusedError: It has no limit, or it cannot be reached from here.
            NotAnsweringError: The server failed.
        """

    def open(self) -> Callable[[], object]:
        """Open a connection that carries a name of ours.

        Returns:
            What closes it.

        Raises:
            LimitReachedError: The server has as many as it accepts.
            NotAnsweringError: It failed otherwise.
        """

    def total(self) -> int:
        """Return how many connections of all programs the server has."""

    def ours(self) -> int:
        """Return how many connections of ours the server has, by their name."""

    def stop_watching(self) -> None:
        """End the session that counts; the next count opens another."""
