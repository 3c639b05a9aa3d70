"""Hands notices to sinks, all at once and for a few seconds at most.

A server may take the connection and never answer, and a name may take half a minute to resolve, so
each sink has a thread of its own that is left behind when the time is over. Its notice counts as
not delivered then, and is sent again: it may arrive twice, but not never.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from perf_pipeline.alerts.sinks.sink import SinkError
from perf_pipeline.redaction.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.alerts.notice import Notice
    from perf_pipeline.alerts.sinks.sink import Sink

WAIT_S = 5.0
"""For all sinks together."""


class _Errand(threading.Thread):
    """Hands notices to one sink, one after the other."""

    def __init__(self, sink: Sink, notices: Sequence[Notice]) -> None:
        super().__init__(name=f"alerts to {sink.name}", daemon=True)
        self._sink, self._notices = sink, notices
        self.delivered: list[Notice] = []
        self.why = ""

    def run(self) -> None:
        for notice in self._notices:
            try:
                self._sink.send(notice)
            except SinkError as error:
                self.why = str(error)
                return
            except Exception as error:  # noqa: BLE001 - a defect of a sink must cost a run nothing
                self.why = f"{self._sink.name}: a defect of perf_pipeline: {redacted(repr(error))}"
                return
            self.delivered.append(notice)


def deliver(
    notices: Mapping[Sink, Sequence[Notice]], wait_s: float = WAIT_S
) -> dict[str, tuple[tuple[Notice, ...], str]]:
    """Hand notices to sinks.

    Args:
        notices: What each sink is to get, in order.
        wait_s: How long to wait for all of them.

    Returns:
        Name of each sink to what it took, and why it took no more; empty if it took all.
    """
    errands = {sink.name: _Errand(sink, its) for sink, its in notices.items() if its}
    for errand in errands.values():
        errand.start()
    until_s = time.monotonic() + wait_s
    found = {}
    for name, errand in errands.items():
        errand.join(max(0.0, until_s - time.monotonic()))
        taken = tuple(errand.delivered)
        late = f"{name}: no answer within {wait_s:g} s" if errand.is_alive() else ""
        found[name] = (taken, errand.why or late)
    return found
