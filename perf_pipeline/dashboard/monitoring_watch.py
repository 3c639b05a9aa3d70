"""Looks at what ``perf-pipeline start --monitoring`` left running, beside the pages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perf_pipeline.dashboard.asked_beside import AskedBeside
from perf_pipeline.dashboard.monitoring_seen import MonitoringSeen, firing_alerts, scraped_runs
from perf_pipeline.servers.lifecycle.persistent_servers import read_persistent
from perf_pipeline.servers.monitors.monitor import PRODUCTS
from perf_pipeline.servers.monitors.programs import ALERTMANAGER, PROMETHEUS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.servers.lifecycle.persistent_servers import PersistentServer


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
        self._state_dir, self._are_local = state_dir, are_local
        self._seen = AskedBeside(self._ask, clock_s)

    def look(self) -> MonitoringSeen:
        """Return what was found last; nothing is known of what has not answered for long."""
        if not self._started():
            return MonitoringSeen()
        return self._seen.look() or MonitoringSeen(is_started=True)

    def _started(self) -> list[PersistentServer]:
        return [
            one
            for name in (PROMETHEUS, ALERTMANAGER)
            if (one := read_persistent(self._state_dir, name)) is not None
        ]

    def _ask(self) -> MonitoringSeen:
        # Another program may have the port of one that was killed.
        urls = {one.service: one.url for one in self._started() if one.is_alive()}
        prometheus, alertmanager = urls.get(PROMETHEUS), urls.get(ALERTMANAGER)
        scraped = scraped_runs(prometheus) if prometheus else None
        firing = firing_alerts(alertmanager) if alertmanager else None
        answered = {PROMETHEUS: scraped is not None, ALERTMANAGER: firing is not None}
        pages = {PRODUCTS[name][0]: url for name, url in urls.items() if answered[name]}
        return MonitoringSeen(
            is_started=True,
            pages=pages if self._are_local else {},
            scraped=scraped,
            firing=firing,
        )
