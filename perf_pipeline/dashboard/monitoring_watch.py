"""Looks at what ``perf-pipeline start --monitoring`` left running, beside the pages.

While somebody looks at pages, it is asked every few seconds. A page waits for the first answer
for a moment at most: a Prometheus that hangs delays none for longer.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from perf_pipeline.dashboard.monitoring_seen import MonitoringSeen, firing_alerts, scraped_runs
from perf_pipeline.servers.lifecycle.persistent_servers import read_persistent
from perf_pipeline.servers.monitors.monitor import PRODUCTS
from perf_pipeline.servers.monitors.programs import ALERTMANAGER, PROMETHEUS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.servers.lifecycle.persistent_servers import PersistentServer

EVERY_S = 4.0
KEPT_S = 15.0
"""What was found longer ago is not shown any more."""
WAIT_S = 0.5


class MonitoringWatch:
    """Knows what was found last; an object of it is asked by every page."""

    def __init__(
        self,
        state_dir: Path,
        *,
        are_local: bool = True,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet.

        Args:
            state_dir: Has the state of what was started.
            are_local: Whether the readers are on this machine, whose loopback links lead to.
            clock_s: Seconds since any moment.
        """
        self._state_dir, self._are_local, self._clock_s = state_dir, are_local, clock_s
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._asked_s = -EVERY_S
        self._found: tuple[float, MonitoringSeen] | None = None

    def look(self) -> MonitoringSeen:
        """Return what was found last; nothing is known of what has not answered for long."""
        started = [
            one
            for name in (PROMETHEUS, ALERTMANAGER)
            if (one := read_persistent(self._state_dir, name)) is not None
        ]
        if not started:
            return MonitoringSeen()
        asking = self._begin(started)
        if (found := self._recent()) is None:
            asking.join(WAIT_S)
            found = self._recent()
        return found or MonitoringSeen(is_started=True)

    def _begin(self, started: list[PersistentServer]) -> threading.Thread:
        """Begin to ask, where that was long ago; return the thread that asked last."""
        with self._lock:
            now_s, asking = self._clock_s(), self._asking
            if asking is None or not (asking.is_alive() or now_s - self._asked_s < EVERY_S):
                self._asked_s = now_s
                asking = threading.Thread(target=self._ask, args=(started,), daemon=True)
                self._asking = asking
                asking.start()
            return asking

    def _recent(self) -> MonitoringSeen | None:
        if self._found is None or self._clock_s() - self._found[0] > KEPT_S:
            return None
        return self._found[1]

    def _ask(self, started: list[PersistentServer]) -> None:
        # Another program may have the port of one that was killed.
        urls = {one.service: one.url for one in started if one.is_alive()}
        prometheus, alertmanager = urls.get(PROMETHEUS), urls.get(ALERTMANAGER)
        scraped = scraped_runs(prometheus) if prometheus else None
        firing = firing_alerts(alertmanager) if alertmanager else None
        answered = {PROMETHEUS: scraped is not None, ALERTMANAGER: firing is not None}
        pages = {PRODUCTS[name][0]: url for name, url in urls.items() if answered[name]}
        found = MonitoringSeen(
            is_started=True,
            pages=pages if self._are_local else {},
            scraped=scraped,
            firing=firing,
        )
        self._found = (self._clock_s(), found)
