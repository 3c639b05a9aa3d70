"""A target of Prometheus that serves planted values, where the cause itself cannot be made here."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest

from perf_pipeline.monitoring.families import families
from perf_pipeline.servers.lifecycle.port import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

    from perf_pipeline.monitoring.sample import Sample


class _Collector:
    def __init__(self, values: Callable[[], list[Sample]]) -> None:
        self._values = values

    def collect(self) -> Iterator[Metric]:
        return families(self._values())


def run_text(values: Callable[[float], list[Sample]]) -> Callable[[float], bytes]:
    """Return what the exporter of a run would serve with such values.

    Args:
        values: Seconds since the start to values of the registry.
    """

    def text(since_s: float) -> bytes:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(lambda: values(since_s)))
        return generate_latest(registry)

    return text


@contextmanager
def planted_target(text: Callable[[float], bytes]) -> Iterator[str]:
    """Serve a text on a free loopback port for the block.

    Args:
        text: Seconds since the start to what is served then.

    Yields:
        ``host:port``.
    """
    began_s = time.monotonic()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text(time.monotonic() - began_s)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Write nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
