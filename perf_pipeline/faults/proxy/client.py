"""Speaks to Toxiproxy's HTTP API: that of our proxies, and that of Shopify's Toxiproxy."""

from __future__ import annotations

import http.client
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.faults.proxy.proxy_state import ConnectionCounts, ProxyState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ANSWER_S = 5.0


class ProxyControlError(PerfPipelineError):
    """The control API does not answer, or refuses a request.

    Attributes:
        status: Of the HTTP answer; 0 without one.
        is_gone: Nobody listens at its address any more, or something that is no proxy.
    """

    def __init__(self, text: str, status: int = 0, *, is_gone: bool = False) -> None:
        """Take the text, and what is known of the answer."""
        self.status = status
        self.is_gone = is_gone
        super().__init__(text)


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
        """Reset some open connections of clients, or without any of probes; returns how many."""
        body = {"count": count}
        return int(self._ask("POST", "proxies", proxy, "reset_connections", body=body)["reset"])

    def _ask(self, method: str, *path: str, body: object = None) -> dict[str, Any]:
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
                is_gone=_is_nobody(error),
            ) from error
        finally:
            connection.close()
        answer = _object(text)
        if answer is None:
            raise ProxyControlError(
                f"what answers {method} {where} at {self.control_url} is no proxy: {text[:80]!r}",
                response.status,
                is_gone=True,
            )
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise ProxyControlError(
                f"the proxy at {self.control_url} refuses {method} {where}: "
                f"{answer.get('error', text.strip())}",
                response.status,
            )
        return answer


def _state(row: Mapping[str, Any]) -> ProxyState:
    try:
        fields = (row["name"], row["listen"], row["upstream"], row["enabled"])
        return ProxyState(*fields, toxics=tuple(row.get("toxics") or ()))
    except (AttributeError, KeyError, TypeError) as error:
        text = f"what answers is no proxy: it has {str(row)[:80]!r} in place of its state"
        raise ProxyControlError(text, is_gone=True) from error


def _object(text: str) -> dict[str, Any] | None:
    """Return the object of an answer, empty for no content; None if it is no object."""
    if not text:
        return {}
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _is_nobody(error: Exception) -> bool:
    """Return whether nobody listens, or somebody who does not speak HTTP."""
    if isinstance(error, http.client.RemoteDisconnected):
        return False
    return isinstance(error, ConnectionRefusedError | http.client.BadStatusLine)
