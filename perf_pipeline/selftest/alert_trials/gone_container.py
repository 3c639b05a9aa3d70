"""A container that is gone, as cAdvisor would serve it: the one cause here that is planted.

An engine is needed to make it real, and that is done where there is one: containers of the running
stack are killed in ``tests/docker/test_container_alerts.py``.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup
from perf_pipeline.servers.lifecycle.port import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_SEEN = 'container_last_seen{{name="perf_pipeline_{name}"}} {at_s:.3f}\n'
_SCRAPES = 20
"""How often it is seen before it is gone."""


class _Cadvisor(ThreadingHTTPServer):
    """Serves one container that stays and one that is gone after a while, on a free port.

    Attributes:
        scrapes: How often it was asked.
    """

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.scrapes = 0

    def text(self) -> str:
        names = ["postgres", *(["redis"] if self.scrapes < _SCRAPES else [])]
        self.scrapes += 1
        return "".join(_SEEN.format(name=one, at_s=time.time()) for one in names)


class _Handler(BaseHTTPRequestHandler):
    server: _Cadvisor

    def do_GET(self) -> None:
        body = self.server.text().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError):  # on a busy machine Prometheus waits no longer
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Write nothing."""


@contextmanager
def _serving() -> Iterator[_Cadvisor]:
    with _Cadvisor() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def _play(stage: Stage) -> Looks:
    with _serving() as cadvisor:
        stage.monitors.scrape("cadvisor", f"http://{LOOPBACK}:{cadvisor.server_port}")
        while cadvisor.scrapes < _SCRAPES:
            yield
        stage.begin("ContainerDown")
        yield from stage.until_fired("ContainerDown")


GONE_CONTAINER = CauseGroup(
    (
        Cause(
            "ContainerDown",
            "a container that is gone",
            {"name": "perf_pipeline_redis"},
            is_real=False,
        ),
    ),
    _play,
)
