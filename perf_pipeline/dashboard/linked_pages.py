"""The pages of other programs that the dashboard links to: those that are there."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.dashboard.asked_beside import AskedBeside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ANSWER_S = 1.0


class OtherPage(NamedTuple):
    """A web page of another program that the dashboard links to."""

    name: str
    url: str


class LinkedPages:
    """Knows which pages can be linked to now."""

    def __init__(
        self,
        pages: Mapping[str, str],
        asked: Mapping[str, tuple[str, int]],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet.

        Args:
            pages: Name to address, as the reader's browser reaches it.
            asked: Name to the host and port at which the dashboard reaches the same program; one
                without them is linked to without asking.
            clock_s: Seconds since any moment.
        """
        self._pages = pages
        self._asked = {name: asked[name] for name in pages if name in asked}
        self._there = AskedBeside(self._ask, clock_s)

    def look(self) -> list[OtherPage]:
        """Return the pages that are there, and those of which nobody knows."""
        there = (self._there.look() if self._asked else None) or frozenset()
        return [
            OtherPage(name, url)
            for name, url in self._pages.items()
            if name not in self._asked or name in there
        ]

    def _ask(self) -> frozenset[str]:
        with ThreadPoolExecutor(len(self._asked)) as beside:
            accepts = beside.map(_accepts, self._asked.values())
            return frozenset(
                name for name, is_so in zip(self._asked, accepts, strict=True) if is_so
            )


def _accepts(address: tuple[str, int]) -> bool:
    """Return whether a program listens there; a service that was not started has no address."""
    try:
        socket.create_connection(address, _ANSWER_S).close()
    except OSError:
        return False
    return True
