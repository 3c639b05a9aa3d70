"""What a proxy without toxics adds to a round trip: measured, so that no failure is charged it."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING

from perf_pipeline.faults.proxy.main_thread import main_thread_cpu_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.faults.proxy.client import ProxyClient

ROUND_TRIPS = 300
WARM_UP = 30
MESSAGE_BYTES = 200
"""Of a small query, or of its answer."""

_NAME = "perf_pipeline-added-latency"
_LOOPBACK = "127.0.0.1"
_ANSWER_S = 5.0
_ECHO = f"""
import socket, sys, threading

def echo(connected):
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while received := connected.recv({MESSAGE_BYTES}):
        connected.sendall(received)

def serve(listener):
    while True:
        threading.Thread(target=echo, args=listener.accept()[:1], daemon=True).start()

threading.Thread(target=serve, args=(socket.socket(fileno=int(sys.argv[1])),), daemon=True).start()
sys.stdin.read()
"""
"""A process of its own: a thread of ours would wait for the interpreter lock on the direct way and
not on the way through the proxy, which then seems to be faster. It ends with its standard input."""


@dataclass(frozen=True)
class AddedLatency:
    """The round trips of small messages to an echo on this machine, through a proxy and without.

    Attributes:
        direct_s: Median without a proxy.
        median_s: What the proxy adds to the median.
        p99_s: What it adds to the 99th percentile.
        cpu_s: CPU time of the proxy for one of them; None where the kernel does not tell it.
        round_trips: How many there were each way, in turn.
    """

    direct_s: float
    median_s: float
    p99_s: float
    cpu_s: float | None
    round_trips: int


def measure_added_latency(
    client: ProxyClient, pid: int, clock_ns: Callable[[], int], round_trips: int = ROUND_TRIPS
) -> AddedLatency:
    """Measure what one of the proxies of a process adds.

    Args:
        client: Speaks to the process; it gets a proxy, which is removed afterwards.
        pid: Of the process.
        clock_ns: Monotonic, ns.
        round_trips: How many to make each way; they take turns.

    Raises:
        ProxyControlError: The process does not answer.
        OSError: Messages do not come back.
    """
    with _echo() as port:
        through = client.create(_NAME, f"{_LOOPBACK}:0", f"{_LOOPBACK}:{port}")
        try:
            with _connected(_LOOPBACK, port) as direct, _connected(*through.address) as proxied:
                for _ in range(WARM_UP):
                    _round_trip_s(direct, clock_ns)
                    _round_trip_s(proxied, clock_ns)
                begun_ns = main_thread_cpu_ns(pid)
                pairs = [
                    (_round_trip_s(direct, clock_ns), _round_trip_s(proxied, clock_ns))
                    for _ in range(round_trips)
                ]
                ended_ns = main_thread_cpu_ns(pid)
        finally:
            client.delete(_NAME)
    without, with_proxy = zip(*pairs, strict=True)
    return AddedLatency(
        direct_s=median(without),
        median_s=median(with_proxy) - median(without),
        p99_s=quantiles(with_proxy, n=100)[98] - quantiles(without, n=100)[98],
        cpu_s=(ended_ns - begun_ns) / 1e9 / round_trips if ended_ns and begun_ns else None,
        round_trips=round_trips,
    )


def _connected(host: str, port: int) -> socket.socket:
    connected = socket.create_connection((host, port), _ANSWER_S)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def _round_trip_s(connected: socket.socket, clock_ns: Callable[[], int]) -> float:
    begun_ns = clock_ns()
    connected.sendall(bytes(MESSAGE_BYTES))
    left = MESSAGE_BYTES
    while left:
        received = len(connected.recv(left))
        if not received:
            raise ConnectionError("the echo closed the connection")
        left -= received
    return (clock_ns() - begun_ns) / 1e9


@contextmanager
def _echo() -> Iterator[int]:
    """Send back what each client sends; yields the port."""
    with socket.create_server((_LOOPBACK, 0)) as listener:
        number = listener.fileno()
        command = [sys.executable, "-I", "-S", "-c", _ECHO, str(number)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(number,)) as process:
            try:
                yield listener.getsockname()[1]
            finally:
                process.kill()
