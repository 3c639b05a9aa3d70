"""Serves a campaign's target to its hours, and ends it when no hour comes any more.

An hour connects to a socket in the campaign's folder and asks, a JSON object a line:

``attach``    who are you? The answer names boot id, processes and servers.
``announce``  have the workers play hour N, whose folder is ready.
``renew``     I am alive: renew the lease. No answer.
``end``       the campaign is over: end the target.

An hour whose connection ends has ended. If its load still runs it was killed, and its load is
stopped; the target stays for the next hour until the lease is over.
"""

from __future__ import annotations

import json
import os
import selectors
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from perf_pipeline.samples.slots import STOP_NS, SlotFile

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from perf_pipeline.loadgen.endurance.soak import Soak
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from perf_pipeline.servers.server import Server

POLL_S = 0.2
"""How often the worker processes are looked at."""

_RECEIVED_BYTES = 65536


class Visitor:
    """One connection of an hour.

    Attributes:
        hours: The hours that it had announced.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.hours: list[int] = []
        self._pending = b""

    def requests(self) -> list[dict[str, Any]] | None:
        """Return the whole requests that have arrived; None once the connection has ended."""
        try:
            received = self.connection.recv(_RECEIVED_BYTES)
        except OSError:
            return None
        *lines, self._pending = (self._pending + received).split(b"\n")
        return [json.loads(line) for line in lines] if received else None

    def answer(self, value: dict[str, Any]) -> None:
        """Send an object; a visitor that has gone gets none."""
        try:
            self.connection.sendall(json.dumps(value).encode() + b"\n")
        except OSError:
            return


class Keeper:
    """Serves one life of a target."""

    def __init__(
        self,
        soak: Soak,
        campaign: CampaignFolder,
        listener: socket.socket,
        lease_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Serve ``soak`` on a socket that listens.

        Args:
            soak: The target, ready.
            campaign: The campaign's folder.
            listener: Where hours connect.
            lease_s: How long the target lives without a sign of an hour.
            clock: Seconds, never going back.
        """
        self._soak = soak
        self._campaign = campaign
        self._lease_s = lease_s
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._listener = listener
        self._visitors: list[Visitor] = []
        self._renewed_s = clock()

    def serve(self) -> str:
        """Serve until the target ends, the lease is over or the campaign is; returns why."""
        while True:
            because = self._soak.dead() or self._lease_over()
            for key, _ in [] if because else self._selector.select(POLL_S):
                if key.fileobj is self._listener:
                    self._welcome()
                elif self._serve(key.data):
                    because = "the campaign is over"
            if because:
                for visitor in self._visitors:
                    visitor.answer({"ended": because})  # it hears the end of this process itself
                return because

    def _lease_over(self) -> str:
        if self._clock() < self._renewed_s + self._lease_s:
            return ""
        return f"the lease is over: no hour renewed it for {self._lease_s:g} s"

    def _welcome(self) -> None:
        connection, _ = self._listener.accept()
        visitor = Visitor(connection)
        self._visitors.append(visitor)
        self._selector.register(connection, selectors.EVENT_READ, visitor)

    def _serve(self, visitor: Visitor) -> bool:
        """Do what a visitor asks; returns whether the campaign is over."""
        requests = visitor.requests()
        if requests is None:
            self._selector.unregister(visitor.connection)
            visitor.connection.close()
            self._visitors.remove(visitor)
            for hour in visitor.hours:
                self._stop(hour)
        for request in requests or ():
            self._renewed_s = self._clock()
            match request["ask"]:
                case "attach":
                    visitor.answer(self._facts())
                case "announce":
                    visitor.hours.append(request["hour"])
                    self._soak.announce(request["hour"])
                case "end":
                    return True
        return False

    def _facts(self) -> dict[str, Any]:
        soak = self._soak
        return {
            "boot_id": soak.boot_id,
            "keeper_pid": os.getpid(),
            "pids": [worker.pid for worker in soak.workers],
            "twin_pids": [worker.pid for worker in soak.twin],
            "left_out": soak.left_out,
            "servers": [_server_json(server) for server in soak.servers.values()],
        }

    def _stop(self, hour: int) -> None:
        """Stop what is left of an hour's load."""
        now_ns = time.monotonic_ns()
        for path in self._campaign.hour_folder(hour).glob("**/worker-*.slots"):
            slots = SlotFile(path)
            slots.words[STOP_NS] = min(slots.words[STOP_NS], now_ns)
            slots.close()


def _server_json(server: Server) -> dict[str, Any]:
    values = {**asdict(server), "folder": None if server.folder is None else str(server.folder)}
    return {name: value for name, value in values.items() if name != "notes"}
