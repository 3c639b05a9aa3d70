"""An HTTP service that answers each request after a known delay and writes its own log.

``python delayed_service.py LOW_S HIGH_S SEED LOG`` prints its port, serves on loopback until its
standard input ends, and then writes LOG: int64 pairs, when the request arrived and when the
answer was sent, CLOCK_MONOTONIC ns.

The delays of any ``DELAYS`` requests in a row are spread evenly over LOW_S to HIGH_S, in an order
drawn from the seed: every generator meets the same distribution, however many requests it makes.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from array import array
from itertools import cycle
from pathlib import Path
from typing import cast

DELAYS = 100
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def spread_delays_s(low_s: float, high_s: float, rng: random.Random) -> list[float]:
    """Return ``DELAYS`` delays, the middles of as many equal parts of the range, shuffled."""
    step_s = (high_s - low_s) / DELAYS
    delays_s = [low_s + (part + 0.5) * step_s for part in range(DELAYS)]
    rng.shuffle(delays_s)
    return delays_s


class Connection(asyncio.Protocol):
    """One client, which asks again when it has its answer."""

    def __init__(self, delays_s: cycle[float], log: array[int]) -> None:
        self._delays_s = delays_s
        self._log = log
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is there whole; it has no body."""
        arrived_ns = time.monotonic_ns()
        self._received += data
        if self._received.endswith(b"\r\n\r\n"):
            self._received = b""
            loop = asyncio.get_running_loop()
            loop.call_later(next(self._delays_s), self._answer, arrived_ns)

    def _answer(self, arrived_ns: int) -> None:
        if not self._transport.is_closing():
            self._log.extend((arrived_ns, time.monotonic_ns()))
            self._transport.write(ANSWER)


async def serve(delays_s: list[float], log: array[int]) -> None:
    """Serve until standard input ends."""
    loop, in_turn = asyncio.get_running_loop(), cycle(delays_s)
    server = await loop.create_server(lambda: Connection(in_turn, log), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    low, high, seed, path = sys.argv[1:5]
    log = array("q")
    asyncio.run(serve(spread_delays_s(float(low), float(high), random.Random(int(seed))), log))
    Path(path).write_bytes(log.tobytes())
