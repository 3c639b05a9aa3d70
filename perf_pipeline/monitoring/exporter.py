"""The process that serves the live metrics of one run, shard of a run, or campaign, to Prometheus.

It reads the run's files and nothing else, so it survives the run's process; it has the lowest
priority and reads at most every ``READ_EVERY_S``. It ends when the run is over and its last values
were scraped twice, or ``LINGER_S`` later; ``UNSEEN_S`` after its start where nobody scrapes. An
answer that came too late for Prometheus is no scrape.
"""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import start_http_server

from perf_pipeline.logs.log import PROCESS_LOG
from perf_pipeline.logs.run_log import run_log_context
from perf_pipeline.monitoring.campaign_reader import CampaignReader
from perf_pipeline.monitoring.families import families
from perf_pipeline.monitoring.run_reader import Part, RunReader
from perf_pipeline.monitoring.scrape_target import register
from perf_pipeline.samples.campaign.campaign_folder import PREFIX, CampaignFolder
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.shards.shard_folders import is_in_shards, is_shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from threading import Thread
    from wsgiref.simple_server import WSGIServer
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client.core import Metric

    from perf_pipeline.monitoring.sample import Sample

READ_EVERY_S = 1.0
LINGER_S = 60.0
"""How long the last values wait to be scraped: four usual intervals of 15 s."""
UNSEEN_S = 30.0
"""A Prometheus that looks for runs has scraped one within so long."""
MAX_SILENT_S = 600.0
"""A run that has not begun after so long, and is no run yet, never will."""
_POLL_S = 0.5
_TIMEOUT = "HTTP_X_PROMETHEUS_SCRAPE_TIMEOUT_SECONDS"
IN_TIME = 0.5
"""Share of Prometheus' timeout in which an answer is made; the rest is for the way to it."""


class Reader(Protocol):
    """Reads the folder of a run or a campaign."""

    @property
    def has_begun(self) -> bool:
        """Whether there is something to read yet."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""

    def read(self) -> None:
        """Read what is new."""

    def samples(self) -> Iterator[Sample]:
        """Return everything that was read."""


def reader_of(folder: Path) -> Reader:
    """Return what reads the folder of a run, of a shard of one, or of a campaign."""
    if folder.name.startswith(PREFIX):
        return CampaignReader(CampaignFolder(folder))
    part: Part = "shard" if is_shard(folder) else "merged" if is_in_shards(folder) else "whole"
    return RunReader(RunFolder(folder), part)


class RunCollector:
    """Serves what a reader has read; as prometheus_client calls it.

    Attributes:
        scrapes: How often values were served in time.
        scrapes_after_end: How often those of a run that is over were.
    """

    def __init__(self, reader: Reader) -> None:
        """Serve what ``reader`` reads."""
        self.scrapes = self.scrapes_after_end = 0
        self._reader = reader
        self._lock = threading.Lock()
        self._read_s = 0.0

    def collect(self) -> Iterator[Metric]:
        """Read what is new and return everything."""
        self.look()
        with self._lock:
            found = list(families(self._reader.samples()))
        yield from found

    def count_in_time(
        self, app: WSGIApplication, *, clock_s: Callable[[], float] = time.monotonic
    ) -> WSGIApplication:
        """Return an application that counts the answers which come in time for Prometheus.

        Args:
            app: Answers with what ``collect`` returns.
            clock_s: Seconds of CLOCK_MONOTONIC.

        Source:
            Prometheus sends its timeout with each scrape: X-Prometheus-Scrape-Timeout-Seconds.
        """

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            began_s, was_over = clock_s(), self._reader.is_over
            body = app(environ, start_response)
            if clock_s() - began_s <= IN_TIME * float(environ.get(_TIMEOUT, "inf")):
                self.scrapes += 1
                self.scrapes_after_end += was_over
            return body

        return answer

    def look(self) -> None:
        """Read what is new, unless that was done just now."""
        with self._lock:
            if time.monotonic() - self._read_s >= READ_EVERY_S:
                self._reader.read()
                self._read_s = time.monotonic()


def serve(
    folder: Path, listen: str, port: int, scrape_dir: Path, labels: Mapping[str, str]
) -> None:
    """Serve a run's metrics until it is over and they were scraped.

    Args:
        folder: The run's or campaign's.
        listen: Address to listen on.
        port: Of it; 0 for a free one. A free one is used as well where it is taken.
        scrape_dir: Folder that Prometheus watches.
        labels: What Prometheus adds to each series, beside the id of the run.

    Raises:
        OSError: It cannot listen there.
    """
    reader = reader_of(folder)
    collector = RunCollector(reader)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    server, thread = _listening(listen, port, registry)
    app = server.get_app()
    assert app is not None  # start_http_server has set it
    server.set_app(collector.count_in_time(app))
    host = listen if listen not in ("0.0.0.0", "::") else socket.gethostname()  # noqa: S104 - asked
    address = f"{host}:{server.server_port}"
    path = register(scrape_dir, folder.name.removeprefix(PREFIX), address, dict(labels))
    print(address, flush=True)  # noqa: T201 - whoever started it waits for this
    try:
        _wait(reader, collector)
    finally:
        path.unlink(missing_ok=True)
        server.shutdown()
        thread.join()


def _listening(listen: str, port: int, registry: CollectorRegistry) -> tuple[WSGIServer, Thread]:
    """Listen on a port, or on a free one where another exporter of this host has it."""
    try:
        return start_http_server(port, listen, registry)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not port:
            raise
        taken = f"port {port} of {listen} is taken: metrics are served on a free one"
        PROCESS_LOG.write("warning", "exporter-port-taken", taken)
        return start_http_server(0, listen, registry)


def _wait(reader: Reader, collector: RunCollector) -> None:
    """Return once the run is over and its last values were scraped twice, or nobody comes."""
    begun_s, over_s = time.monotonic(), None
    while True:
        time.sleep(_POLL_S)
        now_s = time.monotonic()
        collector.look()
        if not reader.has_begun and now_s - begun_s > MAX_SILENT_S:
            return
        if not reader.is_over:
            continue
        over_s = over_s or now_s
        if not collector.scrapes and now_s - begun_s > UNSEEN_S:
            return
        if collector.scrapes_after_end > 1 or now_s - over_s > LINGER_S:
            return


def main(arguments: list[str]) -> int:
    """Serve the run that the arguments name."""
    parser = argparse.ArgumentParser(description="Serve the live metrics of a run.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scrape-dir", type=Path, required=True)
    parser.add_argument("--listen", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--scenario", default="")
    parser.add_argument("--shard")
    parser.add_argument("--host")
    given = parser.parse_args(arguments)
    with suppress(OSError):  # it may be lowest already
        os.nice(19)
    context = run_log_context(given.folder, given.scenario)
    PROCESS_LOG.open(context, "exporter")
    where = f"live metrics are served on {given.listen}"
    PROCESS_LOG.write("info", "exporter-began", where)
    own = {"scenario": given.scenario, "shard": given.shard, "host": given.host}
    labels = {name: text for name, text in own.items() if text is not None}
    try:
        serve(given.folder, given.listen, given.port, given.scrape_dir, labels)
    except KeyboardInterrupt:
        return 130
    finally:
        PROCESS_LOG.write("info", "exporter-ended", "live metrics are served no more")
        PROCESS_LOG.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
