"""The service whose delays are known."""

from __future__ import annotations

import random
import socket
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.selftest.known.delayed_service import DELAYS, spread_delays_s
from perf_pipeline.selftest.loads.service_process import delayed_service, read_log

if TYPE_CHECKING:
    from pathlib import Path


def test_any_hundred_delays_are_spread_evenly_and_the_seed_gives_their_order() -> None:
    first, again, other = (spread_delays_s(0.02, 0.06, random.Random(seed)) for seed in (1, 1, 2))

    assert first == again != other
    assert sorted(first) == sorted(other)
    assert sorted(first) == pytest.approx([0.0202 + 0.0004 * part for part in range(DELAYS)])


def test_the_log_holds_every_request_with_its_delay(tmp_path: Path) -> None:
    """Delays of 10 ms: no answer is sent before them, and a client cannot have it before that."""
    seen_ns = []
    with (
        delayed_service(tmp_path / "service", 0.01, 0.01, 1) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=10) as client,
    ):
        for _ in range(5):
            begin_ns = time.monotonic_ns()
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(4096).endswith(b"\r\n\r\nok")
            seen_ns.append((begin_ns, time.monotonic_ns()))

    log = read_log(service)
    assert len(log.sent_ns) == 5
    assert ((log.sent_ns - log.arrived_ns) >= 10_000_000).all()
    for (begin_ns, end_ns), arrived_ns, sent_ns in zip(
        seen_ns, log.arrived_ns, log.sent_ns, strict=True
    ):
        assert begin_ns <= arrived_ns <= sent_ns <= end_ns
    assert len(log.between(log.sent_ns[1], log.sent_ns[4]).sent_ns) == 3
