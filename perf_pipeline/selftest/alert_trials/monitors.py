"""A real Prometheus and Alertmanager with the project's rules, all of their times scaled."""

from __future__ import annotations

import json
import random
import urllib.request
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from perf_pipeline.selftest.alert_trials.scaled_times import scaled_times
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports
from perf_pipeline.servers.monitors.programs import (
    ALERTMANAGER,
    INFRA,
    alertmanager,
    prometheus,
    prometheus_texts,
    target_file,
)
from perf_pipeline.servers.monitors.start_monitor import start_monitor

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.lifecycle.embedded import EmbeddedServer
    from perf_pipeline.servers.monitors.monitor import Monitor

Alert = dict[str, str]
"""Labels of an alert."""


class Monitors:
    """Prometheus and Alertmanager, for the time of a ``with`` block; they end with this process.

    Attributes:
        prometheus_url: Of the Prometheus, inside the block.
    """

    def __init__(self, settings: Settings, scrape_dir: Path, factor: float) -> None:
        """Start nothing yet.

        Args:
            settings: Where programs are looked for, and where folders are made.
            scrape_dir: Folder in which runs register; exists.
            factor: What all times of the rules are multiplied by.
        """
        self._settings, self._scrape_dir, self._factor = settings, scrape_dir, factor
        self._ports = free_ports(random.SystemRandom(), ephemeral_range())
        self._stack = ExitStack()
        self._alertmanager_url = ""
        self._targets: dict[str, str] = {}
        self.prometheus_url = ""

    def __enter__(self) -> Self:
        """Start Alertmanager.

        Raises:
            ServiceUnavailableError: Its program is missing, or it does not start.
        """
        routes = (INFRA / "alertmanager/alertmanager.yml").read_text(encoding="utf-8")
        scaled = alertmanager(self._settings, scaled_times(routes, self._factor))
        self._alertmanager_url = self.start(scaled).server.url
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self._stack.close()

    def scrape(self, job: str, url: str) -> None:
        """Have a job scraped at a URL, once Prometheus is started."""
        self._targets[job] = url

    def watch(self) -> None:
        """Start Prometheus."""
        texts = {
            name: scaled_times(text, self._factor) for name, text in prometheus_texts().items()
        }
        files = {job: target_file(url) for job, url in self._targets.items()}
        files[ALERTMANAGER] = target_file(self._alertmanager_url)
        self.prometheus_url = self.start(prometheus(self._scrape_dir, files, texts)).server.url

    def start(self, monitor: Monitor) -> EmbeddedServer:
        """Start a program that ends with the block.

        Raises:
            ServiceUnavailableError: It is missing, or does not start.
        """
        started = start_monitor(self._settings, monitor, self._ports)
        self._stack.callback(started.stop)
        return started

    def alerts(self) -> list[Alert]:
        """Return the labels of all alerts that Alertmanager has now, inhibited ones as well."""
        url = f"{self._alertmanager_url}/api/v2/alerts"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
            found: list[dict[str, Any]] = json.load(answer)
        return [{**one["labels"], "state": one["status"]["state"]} for one in found]
