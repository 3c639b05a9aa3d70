"""Speaks to Toxiproxy's HTTP API: that of our proxies, and that of Shopify's Toxiproxy."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ANSWER_S = 5.0


class ProxyControlError(PerfPipelineError):
    """The control API does not answer, or refuses a request.

    Attributes:
        status: Of the HTTP answer; 0 without one.
        is_gone: Nobody listens at its address any more.
    """

    def __init__(self, text: str, status: int = 0, *, is_gone: bool = False) -> None:
        """Take the text, and what is known of the answer."""
        self.status = status
        self.is_gone = is_gone
        super().__init__(text)


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
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


@dataclass(frozen=True)
class ConnectionCounts:
    """The connections of one of our proxies: open ones, all so far, and those that it reset."""

    open: int
    accepted: int
    resets: int


class ProxyClient:
    """Controls proxies; every call is answered within ``_ANSWER_S`` or raises.

    Attributes:
        control_url: Where they are controlled.
    """

    def __init__(self, control_url: str) -> None:
        """Take the address; nothing is asked yet.

        Args:
            control_url: ``http://host:port``.
        """
        parts = urlsplit(control_url)
        self.control_url = control_url
        self._host, self._port = parts.hostname or "", parts.port or 8474

    def version(self) -> str:
        """Return the version that answers; ours begins with ``perf_pipeline``."""
        return str(self._ask("GET", "version")["version"])

    def proxies(self) -> dict[str, ProxyState]:
        """Return all proxies by name."""
        found = self._ask("GET", "proxies")
        return {name: _state(row) for name, row in found.items()}

    def proxy(self, name: str) -> ProxyState:
        """Return a proxy."""
        return _state(self._ask("GET", "proxies", name))

    def create(self, name: str, listen: str, upstream: str) -> ProxyState:
        """Create a proxy that accepts connections; ``listen`` with port 0 for a free one."""
        body = {"name": name, "listen": listen, "upstream": upstream, "enabled": True}
        return _state(self._ask("POST", "proxies", body=body))

    def populate(self, proxies: Iterable[Mapping[str, Any]]) -> list[ProxyState]:
        """Have these proxies, each with ``name``, ``listen``, ``upstream`` and ``enabled``."""
        return [_state(row) for row in self._ask("POST", "populate", body=[*proxies])["proxies"]]

    def delete(self, name: str) -> None:
        """Remove a proxy with its connections."""
        self._ask("DELETE", "proxies", name)

    def enable(self, name: str) -> None:
        """Have a proxy accept connections."""
        self._ask("POST", "proxies", name, body={"enabled": True})

    def disable(self, name: str) -> None:
        """Have a proxy refuse connections, and close those that there are."""
        self._ask("POST", "proxies", name, body={"enabled": False})

    def add_toxic(
        self,
        proxy: str,
        type: str,  # noqa: A002 - the API's word
        stream: str,
        attributes: Mapping[str, int],
        toxicity: float = 1.0,
        name: str = "",
    ) -> str:
        """Add a toxic to a proxy.

        Args:
            proxy: Name of the proxy.
            type: ``latency``, ``bandwidth``, ``timeout``, ``reset_peer``, ...
            stream: ``upstream`` or ``downstream``.
            attributes: Whole numbers, as the type takes them.
            toxicity: Probability that it acts on a connection.
            name: Unique within the proxy; empty for ``type_stream``.

        Returns:
            Its name.
        """
        body = {
            "name": name or f"{type}_{stream}",
            "type": type,
            "stream": stream,
            "toxicity": toxicity,
            "attributes": dict(attributes),
        }
        return str(self._ask("POST", "proxies", proxy, "toxics", body=body)["name"])

    def change_toxic(self, proxy: str, name: str, attributes: Mapping[str, int]) -> None:
        """Give a toxic other attributes."""
        body = {"attributes": dict(attributes)}
        self._ask("POST", "proxies", proxy, "toxics", name, body=body)

    def remove_toxic(self, proxy: str, name: str) -> None:
        """Remove a toxic; one that is not there is fine."""
        try:
            self._ask("DELETE", "proxies", proxy, "toxics", name)
        except ProxyControlError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def reset(self) -> None:
        """Have all proxies accept connections, and none have a toxic."""
        self._ask("POST", "reset")

    def connections(self, proxy: str) -> ConnectionCounts:
        """Count the connections of one of our proxies; Shopify's does not."""
        return ConnectionCounts(**self._ask("GET", "proxies", proxy, "connections"))

    def reset_connections(self, proxy: str, count: int) -> int:
        """Reset some open connections of one of our proxies; returns how many there were."""
        body = {"count": count}
        return int(self._ask("POST", "proxies", proxy, "reset_connections", body=body)["reset"])

    def _ask(self, method: str, *path: str, body: object = None) -> Any:
        """Send a request and return the object of its answer.

        Raises:
            ProxyControlError: There is no answer, or it is no success.
        """
        where = "/" + "/".join(quote(part, safe="") for part in path)
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_ANSWER_S)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, where, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise ProxyControlError(
                f"the proxy at {self.control_url} does not answer {method} {where}: "
                f"{type(error).__name__}: {error}",
                is_gone=isinstance(error, ConnectionRefusedError),
            ) from error
        finally:
            connection.close()
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise ProxyControlError(
                f"the proxy at {self.control_url} refuses {method} {where}: {_reason(text)}",
                response.status,
            )
        return json.loads(text) if text else {}


def _state(row: Mapping[str, Any]) -> ProxyState:
    fields = (row["name"], row["listen"], row["upstream"], row["enabled"])
    return ProxyState(*fields, toxics=tuple(row.get("toxics") or ()))


def _reason(text: str) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text.strip()
