"""A proxy and its connections, as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ProxyState:
    """A proxy, as the API shows it.

    Attributes:
        name: Unique.
        listen: ``host:port`` for clients.
        upstream: ``host:port`` of the server.
        enabled: It accepts connections.
        toxics: Each with ``name``, ``type``, ``stream``, ``toxicity`` and ``attributes``.
    """

    name: str
    listen: str
    upstream: str
    enabled: bool
    toxics: tuple[Mapping[str, Any], ...]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port for clients."""
        return split_address(self.listen)


@dataclass(frozen=True)
class ConnectionCounts:
    """The connections of one of our proxies.

    Attributes:
        open: Those of clients.
        accepted: All of clients so far.
        resets: Those of clients that ``reset_connections`` has reset.
        probe_listen: ``host:port`` for whoever looks at the path: the same way, counted apart.
        probe_open: Connections there.
        probe_resets: Those that ``reset_connections`` has reset.
    """

    open: int
    accepted: int
    resets: int
    probe_listen: str
    probe_open: int
    probe_resets: int

    @property
    def probe_address(self) -> tuple[str, int]:
        """Host and port for whoever looks at the path."""
        return split_address(self.probe_listen)


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of ``host:port``."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
