"""The server that requests go to is the run's own where it is on the same machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.config.http.http_request import HttpRequest
from perf_pipeline.metrics.resources.loaded_server import (
    LOADED_SERVER,
    LoadedServer,
    loaded_server,
)
from perf_pipeline.metrics.resources.resource_sampler import ResourceSampler
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.metrics.resources.resource_summary import resources_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORKED = """
import os, socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    while True:
        pass  # as a worker that answers requests
print(server.getsockname()[1], flush=True)
time.sleep(60)
"""


@contextmanager
def _forked_server() -> Iterator[tuple[int, int]]:
    """Start a server whose worker shares its socket; yields its process and port."""
    child = subprocess.Popen(
        [sys.executable, "-c", FORKED], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert child.stdout is not None
        yield child.pid, int(child.stdout.readline())
    finally:
        os.killpg(child.pid, 9)
        child.communicate()


def _requests(port: int, host: str = "127.0.0.1") -> list[HttpRequest]:
    return [HttpRequest(f"http://{host}:{port}/order/{{number}}")]


def test_its_cores_are_not_those_of_other_programs(tmp_path: Path) -> None:
    """A worker that computes all the time, below the process that listens, counts once."""
    path = tmp_path / "r.jsonl"
    with _forked_server() as (pid, port):
        found = loaded_server([*_requests(port), *_requests(port, "localhost")])
        assert found == LoadedServer((pid,))
        with ResourceSampler(path, {}, loaded=found) as monitor:
            monitor.sample(time.monotonic_ns(), [])
            time.sleep(0.4)
            monitor.sample(time.monotonic_ns(), [])
    samples = read_samples(path, 0, 2**63)
    used = resources_of(samples).of(LOADED_SERVER)
    assert used.processes_peak == 2
    assert used.cores_mean
    assert 0 < used.cores_mean < 1.1


def test_a_server_that_has_started_the_run_is_counted_without_the_run(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with ResourceSampler(path, {}, loaded=LoadedServer((os.getppid(),))) as monitor:
        monitor.sample(time.monotonic_ns(), [])
    (sample,) = read_samples(path, 0, 2**63)
    assert os.getppid() in {one["pid"] for one in sample["servers"]}
    assert os.getpid() not in {one["pid"] for one in sample["servers"]}


def test_a_server_elsewhere_is_no_process_of_this_machine() -> None:
    assert loaded_server(_requests(8000, "192.0.2.7")) is None


def test_a_server_whose_process_is_unknown_leaves_the_cores_of_others_unknown(
    tmp_path: Path,
) -> None:
    """As in a container, or where another user runs it: it would look like a neighbour."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and nobody listens
        port = bound.getsockname()[1]
        found = loaded_server(_requests(port))
    assert found is not None
    assert found.problem == f"no process of this user is known to listen at 127.0.0.1 port {port}"

    path = tmp_path / "r.jsonl"
    with ResourceSampler(path, {}, loaded=found) as monitor:
        monitor.sample(time.monotonic_ns(), [])
    (sample,) = read_samples(path, 0, 2**63)
    host = sample["host"]
    cores = host["cores_usable"]
    busy = {"busy_s": host["busy_s"] + cores / 2, "idle_s": host["idle_s"] + cores / 2}
    later = {**sample, "at_ns": sample["at_ns"] + 1_000_000_000, "host": {**host, **busy}}
    resources = resources_of([sample, later])
    assert resources.others.cores is None
    assert resources.others.why_not.startswith(LOADED_SERVER)
    assert resources.failed_probes == 0
