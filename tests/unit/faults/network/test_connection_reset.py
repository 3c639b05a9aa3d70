"""Whose connections were reset, by the counts of the proxy and of the kernel."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.fault import Place
from perf_pipeline.faults.kinds.connection_reset import ConnectionReset, ResetCounts
from perf_pipeline.faults.proxy.proxy_state import ConnectionCounts

if TYPE_CHECKING:
    from perf_pipeline.faults.network.proxied_server import ProxiedServer

BEFORE = ConnectionCounts(
    open=0, accepted=7, resets=0, probe_listen="127.0.0.2:1", probe_open=1, probe_resets=0
)
SERVER = SimpleNamespace(through=SimpleNamespace(begin=lambda: None))


class Counted(ConnectionReset):
    """A failure whose counts are given."""

    def __init__(self, *counts: ResetCounts) -> None:
        place = Place(None, Path(), random.Random(1), lambda: 0, lambda _s: None)
        super().__init__(place, resets_per_s=2.0)
        self._server = SERVER  # type: ignore[assignment]
        first, *self.counts = counts
        self._seen.append(first)

    def _counts_of(self, server: ProxiedServer) -> ResetCounts:
        del server
        return self.counts.pop(0)


@pytest.mark.parametrize(
    ("open_before", "then", "kernel", "in_effect"),
    [
        (3, {"open": 3, "resets": 2}, 2, True),
        (3, {"open": 3, "resets": 2}, 0, False),  # the kernel has closed none so
        (3, {"open": 3, "probe_resets": 2}, 2, False),  # workers were there, and met nothing
        (0, {"accepted": 19, "probe_resets": 2}, 2, False),  # a short connection a workflow
        (0, {"probe_resets": 2}, 2, True),  # nobody is connected yet
        (3, {"open": 3}, 40, False),  # other programs on this machine
    ],
)
def test_only_resets_that_workers_could_meet_count(
    open_before: int, then: dict[str, int], kernel: int, *, in_effect: bool
) -> None:
    """In half a second, in which the kernel counted the resets of every program."""
    first = ResetCounts(0, replace(BEFORE, open=open_before), 100)
    now = ResetCounts(500_000_000, replace(BEFORE, **then), 100 + kernel)  # type: ignore[arg-type]
    sign = Counted(first, now).sign()
    assert sign.in_effect is in_effect
    missed = not in_effect and bool(then.get("probe_resets"))
    assert sign.text.endswith(", none of a worker") or not missed
