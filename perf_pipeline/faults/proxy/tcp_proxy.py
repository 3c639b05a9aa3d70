"""One proxy: listens for clients of a server, and carries each connection through its toxics."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from perf_pipeline.faults.proxy.address import address_of
from perf_pipeline.faults.proxy.api_error import ApiError, bad_body
from perf_pipeline.faults.proxy.connection import Connection
from perf_pipeline.faults.proxy.listeners import LOOPBACK, PROBE_LOOPBACK, Listeners
from perf_pipeline.faults.proxy.toxics import STREAMS, changed_toxic, new_toxic

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from perf_pipeline.faults.proxy.connection import Side
    from perf_pipeline.faults.proxy.decisions import Decisions
    from perf_pipeline.faults.proxy.toxics import Toxic

LOCAL = (LOOPBACK, "localhost")
_RETRY_S = 0.05


class TcpProxy:
    """A proxy before one server.

    While the server refuses connections, so does the proxy: a client sees what it would see
    without it.

    Attributes:
        name: Unique.
        listen: ``host:port`` on loopback; port 0 until a free one was found.
        upstream: ``host:port`` of the server.
        enabled: It accepts connections.
        toxics: Name to toxic, in the order in which they were added.
        accepted: Connections of clients so far.
        resets: Those of them that ``reset_connections`` has reset.
    """

    def __init__(self, name: str, listen: str, upstream: str, decisions: Decisions) -> None:
        """Prepare; nothing listens yet.

        Raises:
            ApiError: An address is none, or clients of other machines could connect.
        """
        self.name = name
        self.enabled = False
        self.toxics: dict[str, Toxic] = {}
        self.accepted = 0
        self.resets = 0
        self._probes = 0
        self._probe_resets = 0
        self._decisions = decisions
        self._reset_rng = decisions.stream(name, "resets")
        self._toxics_so_far = 0
        self._listeners = Listeners(self._accept)
        self._connections: dict[int, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._set_addresses(listen, upstream)

    def row(self) -> dict[str, Any]:
        """Return it as the API shows it; toxics towards the server first."""
        return {
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.enabled,
            "toxics": [
                toxic.row()
                for stream in STREAMS
                for toxic in self.toxics.values()
                if toxic.stream == stream
            ],
        }

    def connections(self) -> dict[str, Any]:
        """Return how many connections there are and were: an addition to Toxiproxy's API."""
        of_clients = len(self._numbers(is_probe=False))
        _, port = address_of(self.listen, "listen", lowest_port=0)
        return {
            "open": of_clients,
            "accepted": self.accepted,
            "resets": self.resets,
            "probe_listen": f"{PROBE_LOOPBACK}:{port}",
            "probe_open": len(self._connections) - of_clients,
            "probe_resets": self._probe_resets,
        }

    async def start(self) -> None:
        """Accept connections, if it does not do so yet.

        Raises:
            ApiError: Something else listens there.
        """
        if self.enabled:
            return
        await self._listen()
        self.enabled = True

    def stop(self) -> None:
        """Refuse connections, and close those that there are."""
        self.enabled = False
        self._listeners.close()
        for task in self._tasks:
            task.cancel()
        for connection in list(self._connections.values()):
            connection.close()

    async def update(self, body: Mapping[str, Any]) -> None:
        """Take addresses and state from a request.

        Raises:
            ApiError: An address is none, or something else listens there.
        """
        listen, upstream = body.get("listen", self.listen), body.get("upstream", self.upstream)
        enabled = body.get("enabled", self.enabled)
        if not isinstance(enabled, bool):
            raise bad_body(f"enabled is {enabled!r:.40}, not true or false")
        if (listen, upstream) != (self.listen, self.upstream):
            self.stop()
            self._set_addresses(listen, upstream)
        if enabled:
            await self.start()
        else:
            self.stop()

    def add_toxic(self, body: Mapping[str, Any]) -> Toxic:
        """Add a toxic that acts on all connections, those that there are included.

        Raises:
            ApiError: It is none, or there is one of its name.
        """
        toxic = new_toxic(body, self._toxics_so_far)
        if toxic.name in self.toxics:
            raise ApiError("toxic already exists", HTTPStatus.CONFLICT)
        self._toxics_so_far += 1
        self.toxics[toxic.name] = toxic
        for connection in list(self._connections.values()):
            connection.add_toxics([toxic])
        return toxic

    def toxic(self, name: str) -> Toxic:
        """Return a toxic.

        Raises:
            ApiError: There is none of that name.
        """
        if name not in self.toxics:
            raise ApiError("toxic not found", HTTPStatus.NOT_FOUND)
        return self.toxics[name]

    def change_toxic(self, name: str, body: Mapping[str, Any]) -> Toxic:
        """Give a toxic other attributes, also for the connections that there are.

        Raises:
            ApiError: There is none of that name, or it does not take them.
        """
        toxic = changed_toxic(self.toxic(name), body, self._toxics_so_far)
        self._toxics_so_far += 1
        self.toxics[name] = toxic
        for connection in list(self._connections.values()):
            connection.change_toxic(toxic)
        return toxic

    def remove_toxic(self, name: str) -> None:
        """Remove a toxic from all connections.

        Raises:
            ApiError: There is none of that name.
        """
        del self.toxics[self.toxic(name).name]
        for connection in list(self._connections.values()):
            connection.remove_toxic(name)

    def reset_connections(self, count: int) -> int:
        """Reset some open connections of clients, drawn at random: an addition to Toxiproxy's API.

        Without any, those of probes are: what resets can be seen before there are clients.

        Returns:
            How many there were to reset.
        """
        of_clients = self._numbers(is_probe=False)
        drawn = of_clients or self._numbers(is_probe=True)
        drawn = self._reset_rng.sample(drawn, min(count, len(drawn)))
        for number in drawn:
            self._decisions.note(self.name, number, reset=True)
            self._connections[number].reset()
        if of_clients:
            self.resets += len(drawn)
        else:
            self._probe_resets += len(drawn)
        return len(drawn)

    def _set_addresses(self, listen: str, upstream: str) -> None:
        host, _ = address_of(listen, "listen", lowest_port=0)
        if host not in LOCAL:
            raise bad_body(f"listen is {listen!r:.60}: this proxy listens on {LOOPBACK} alone")
        address_of(upstream, "upstream", lowest_port=1)
        self.listen, self.upstream = listen, upstream

    async def _listen(self) -> None:
        _, port = address_of(self.listen, "listen", lowest_port=0)
        try:
            port = await self._listeners.open(port)
        except OSError as error:
            raise ApiError(
                f"listen tcp {self.listen}: {error.strerror}", HTTPStatus.INTERNAL_SERVER_ERROR
            ) from error
        self.listen = f"{LOOPBACK}:{port}"

    def _accept(self, *, is_probe: bool) -> Side:
        if is_probe:
            self._probes += 1
        else:
            self.accepted += 1
        connection = Connection(
            self.name,
            -self._probes if is_probe else self.accepted - 1,
            decisions=self._decisions,
            loop=asyncio.get_running_loop(),
            begun=lambda begun: self._begin(self._connect(begun)),
            ended=self._forget,
        )
        self._connections[connection.number] = connection
        return connection.client

    def _numbers(self, *, is_probe: bool) -> list[int]:
        """Return the numbers of the open connections of clients, or of probes."""
        return sorted(number for number in self._connections if (number < 0) == is_probe)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget(self, connection: Connection) -> None:
        self._connections.pop(connection.number, None)

    async def _connect(self, connection: Connection) -> None:
        host, port = address_of(self.upstream, "upstream", lowest_port=1)
        try:
            await connection.connect(host, port, list(self.toxics.values()))
        except ConnectionRefusedError:
            connection.reset()
            self._refuse_too(host, port)
        except OSError:  # TimeoutError included
            connection.reset()

    def _refuse_too(self, host: str, port: int) -> None:
        """Refuse connections until the server accepts them again."""
        if self._listeners.are_open:
            self._listeners.close()
            self._begin(self._listen_once_accepted(host, port))

    async def _listen_once_accepted(self, host: str, port: int) -> None:
        while True:
            await asyncio.sleep(_RETRY_S)
            try:
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                await self._listen()
            except (OSError, ApiError):
                continue
            return
