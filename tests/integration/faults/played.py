"""Plays a failure on a real server or on this machine, as the player does, and checks its word."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.faults.fault import Place
from perf_pipeline.faults.marker import faulted_server
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.faults.fault import Fault, FaultedServer
    from perf_pipeline.servers.server import Server

GONE_S = 5.0
_IN_EFFECT_S = 10.0
_SIGNS = 5
_BETWEEN_S = 0.05


def place_on(folder: Path, server: Server | None = None) -> Place:
    """Return a place on a server, or on this machine."""
    return place_of(folder, None if server is None else faulted_server(server))


def place_of(folder: Path, server: FaultedServer | None) -> Place:
    """Return a place whose folder is made, with the time of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    return Place(
        server=server,
        folder=folder,
        rng=random.Random(7),
        clock_ns=time.monotonic_ns,
        sleep=time.sleep,
    )


@contextmanager
def injected(fault: Fault) -> Iterator[Fault]:
    """Have a failure in effect for the block.

    Before it a sham injector (none at all) must have no sign that stays: what ``preflight`` started
    may still wait for a core. In the block every sign says that it
    is in effect; after it the state is as before within ``GONE_S``, with no sign left.
    """
    fault.preflight()
    before = fault.state()
    assert until(lambda: not any(fault.sign().in_effect for _ in range(_SIGNS)), GONE_S)
    try:
        fault.inject()
        assert until(lambda: fault.sign().in_effect, _IN_EFFECT_S), fault.sign().text
        yield fault
        for _ in range(_SIGNS):
            time.sleep(_BETWEEN_S)
            sign = fault.sign()
            assert sign.in_effect, sign.text
        assert fault.state() != before
    finally:
        fault.undo()
    assert until(lambda: fault.state() == before, GONE_S), (fault.state(), before)
    assert until(lambda: not fault.sign().in_effect, GONE_S), fault.sign().text
    fault.undo()
