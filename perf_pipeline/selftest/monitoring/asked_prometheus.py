"""A real Prometheus on loopback that scrapes what registers in a folder, and is asked here."""

from __future__ import annotations

import json
import random
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.selftest.alert_trials.scaled_times import scaled_times
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports
from perf_pipeline.servers.monitors.programs import prometheus, prometheus_texts
from perf_pipeline.servers.monitors.start_monitor import start_monitor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

EVERY_SECOND = 1 / 5
"""Of the 5 s between two scrapes of the project's configuration."""
_CONFIGURATION = "prometheus.yml"
_ANSWER_S = 30.0
Found = dict[frozenset[tuple[str, str]], float]
"""Labels of a series, without its name, to its value."""


@contextmanager
def asked_prometheus(
    settings: Settings,
    scrape_dir: Path,
    *,
    factor: float = EVERY_SECOND,
    data_dir: Path | None = None,
) -> Iterator[AskedPrometheus]:
    """Start a Prometheus with the project's rules at their own times; it ends with the block.

    Args:
        settings: Where its program is looked for, and its folder is made.
        scrape_dir: Folder in which runs register; made where it does not exist.
        factor: What the times between two scrapes, and two looks into folders, are multiplied by.
        data_dir: Its data, which may have blocks already; default: none, and removed at the end.

    Raises:
        ServiceUnavailableError: Its program is missing, or it does not start.
    """
    scrape_dir.mkdir(parents=True, exist_ok=True)
    texts = prometheus_texts()
    texts[_CONFIGURATION] = scaled_times(texts[_CONFIGURATION], factor)
    ports = free_ports(random.SystemRandom(), ephemeral_range())
    started = start_monitor(settings, prometheus(scrape_dir, {}, texts, data_dir), ports)
    try:
        yield AskedPrometheus(started.server.url, scrape_dir)
    finally:
        started.stop()


@dataclass(frozen=True)
class AskedPrometheus:
    """A Prometheus that answers.

    Attributes:
        url: Where.
        scrape_dir: Folder that it watches.
    """

    url: str
    scrape_dir: Path

    def query(self, expression: str, at_s: float | None = None) -> Found:
        """Evaluate an expression.

        Args:
            expression: PromQL with an instant vector as its value.
            at_s: When, seconds of the epoch; None for now.

        Raises:
            PerfPipelineError: Prometheus refused it.
        """
        given = {"query": expression} if at_s is None else {"query": expression, "time": str(at_s)}
        result = self._get("query", given)["result"]
        return {
            frozenset((name, text) for name, text in one["metric"].items() if name != "__name__"):
            float(one["value"][1])
            for one in result
        }  # fmt: skip

    def drawn(self, expression: str, begin_s: float, end_s: float) -> int:
        """Return how many series an expression has over a time, in steps of a second.

        Args:
            expression: PromQL.
            begin_s: From when, seconds of the epoch.
            end_s: Until when.

        Raises:
            PerfPipelineError: Prometheus refused it.
        """
        span = {"start": str(begin_s), "end": str(end_s), "step": "1"}
        return len(self._get("query_range", {"query": expression, **span})["result"])

    def _get(self, what: str, given: Mapping[str, str]) -> Any:
        address = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(given)}"
        try:
            with urllib.request.urlopen(address, timeout=_ANSWER_S) as answer:  # noqa: S310 - ours
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise PerfPipelineError(f"Prometheus refused {given}: {error.read()!r}") from error
