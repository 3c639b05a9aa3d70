"""Slow clients are kept at their number."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from perf_pipeline.faults.slow_reads.reader import SlowReader

if TYPE_CHECKING:
    from perf_pipeline.faults.slow_reads.slow_client import SlowClient

_WAIT_S = 5.0


class PlantedClient:
    """A client that is never answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.has_begun = self.is_closed = False

    def start(self) -> None:
        self.has_begun = True

    def ask(self, ahead_bytes: int) -> None:
        pass

    def read(self, count_bytes: int) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


def test_a_client_that_the_server_has_ended_is_replaced_and_its_port_forgotten() -> None:
    """Another program may have that port next, and would be taken for a slow client."""
    opened: list[PlantedClient] = []
    replaced, lock = threading.Event(), threading.Lock()

    def open_one() -> SlowClient:
        with lock:
            opened.append(PlantedClient(1000 + len(opened)))
            if len(opened) == 4:
                replaced.set()
            return opened[-1]  # type: ignore[return-value]

    reader = SlowReader(open_one, 3, 10.0, lambda ports: ports & {1001})
    reader.open()
    assert [client.has_begun for client in opened] == [False] * 3
    reader.start()
    assert replaced.wait(_WAIT_S)
    reader.stop()
    assert reader.ports == {1000, 1002, 1003}
    assert all(client.has_begun and client.is_closed for client in opened)
