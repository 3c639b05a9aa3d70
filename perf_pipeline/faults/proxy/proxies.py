"""The proxies of a process, by name."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from perf_pipeline.faults.proxy.api_error import ApiError, bad_body, missing
from perf_pipeline.faults.proxy.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.faults.proxy.decisions import Decisions


class Proxies:
    """Creates, finds and removes proxies.

    Attributes:
        by_name: Name to proxy.
    """

    def __init__(self, decisions: Decisions) -> None:
        """Begin without any.

        Args:
            decisions: Source of their random choices.
        """
        self.by_name: dict[str, TcpProxy] = {}
        self._decisions = decisions

    def find(self, name: str) -> TcpProxy:
        """Return a proxy.

        Raises:
            ApiError: There is none of that name.
        """
        if name not in self.by_name:
            raise ApiError("proxy not found", HTTPStatus.NOT_FOUND)
        return self.by_name[name]

    async def create(self, body: Mapping[str, Any]) -> TcpProxy:
        """Create a proxy, which accepts connections unless ``enabled`` is false.

        Raises:
            ApiError: A field is missing, or there is a proxy of its name.
        """
        proxy, enabled = self._read(body)
        if proxy.name in self.by_name:
            raise ApiError("proxy already exists", HTTPStatus.CONFLICT)
        if enabled:
            await proxy.start()
        self.by_name[proxy.name] = proxy
        return proxy

    async def populate(self, bodies: object) -> list[TcpProxy]:
        """Have the proxies of a list; those with other addresses are replaced, the same ones stay.

        Raises:
            ApiError: It is no such list; nothing was changed.
        """
        if not isinstance(bodies, list) or not all(isinstance(one, dict) for one in bodies):
            raise bad_body("it is not a list of objects")
        wanted = [self._read(body) for body in bodies]
        found = []
        for new, enabled in wanted:
            proxy = self.by_name.get(new.name)
            if proxy is None or not _is_same(proxy, new):
                if proxy is not None:
                    self.remove(proxy.name)
                proxy = self.by_name[new.name] = new
            if enabled:
                await proxy.start()
            else:
                proxy.stop()
            found.append(proxy)
        return found

    def remove(self, name: str) -> None:
        """Stop and remove a proxy.

        Raises:
            ApiError: There is none of that name.
        """
        self.find(name).stop()
        del self.by_name[name]

    async def reset(self) -> None:
        """Have all proxies accept connections, and none have a toxic."""
        for proxy in self.by_name.values():
            await proxy.start()
            for name in list(proxy.toxics):
                proxy.remove_toxic(name)

    def _read(self, body: Mapping[str, Any]) -> tuple[TcpProxy, bool]:
        for field in ("name", "upstream"):
            if not body.get(field):
                raise missing(field)
        enabled = body.get("enabled", True)
        if not isinstance(enabled, bool):
            raise bad_body(f"enabled is {enabled!r:.40}, not true or false")
        listen = body.get("listen") or "127.0.0.1:0"
        return TcpProxy(str(body["name"]), listen, str(body["upstream"]), self._decisions), enabled


def _is_same(proxy: TcpProxy, new: TcpProxy) -> bool:
    return (proxy.listen, proxy.upstream) == (new.listen, new.upstream)
