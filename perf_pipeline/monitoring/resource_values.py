"""What the newest sample of the resource monitor says: processes, servers, network, host."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from perf_pipeline.host.target_processes import CPU
from perf_pipeline.metrics.resources.resource_samples import of_server, summed, target_bytes
from perf_pipeline.monitoring.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_OF_PROCESSES = {
    "loadtest_process_cpu_seconds_total": "cpu_s",
    "loadtest_process_rss_bytes": "rss_bytes",
    "loadtest_process_pss_bytes": "pss_bytes",
    "loadtest_process_uss_bytes": "uss_bytes",
    "loadtest_process_threads": "threads",
    "loadtest_process_open_files": "descriptors",
    "loadtest_process_read_bytes_total": "read_bytes",
    "loadtest_process_written_bytes_total": "write_bytes",
}
_MEMORY = {"rss_bytes", "pss_bytes", "uss_bytes"}
_SESSION_STATES = ("total", "active", "idle", "waiting")
_HOST_MODES = {"busy": "busy_s", "iowait": "iowait_s", "steal": "steal_s", "idle": "idle_s"}


def resource_values(sample: Mapping[str, Any], limits: Mapping[str, int]) -> Iterator[Sample]:
    """Return the values of one sample.

    Args:
        sample: A line of ``resources.jsonl``; what it lacks is left out.
        limits: Server to the connections that the target may open.
    """
    one = dict(sample)
    for metric, what in _OF_PROCESSES.items():
        yield from _each(metric, ("target", ""), _of_target(one, what))
        yield from _each(metric, ("harness", ""), summed([one], "harness", what))
        for service in sorted({process["service"] for process in one.get("servers", ())}):
            found = summed([one], "servers", what, of_server(service))
            yield from _each(metric, ("server", service), found)
    yield from _sessions(one, limits)
    yield from _host(one.get("host", {}))


def _of_target(sample: dict[str, Any], what: str) -> list[float]:
    """Return a value of the workers; CPU time and memory with what they have started."""
    if what in _MEMORY:
        return target_bytes([sample], what)
    return summed([sample], "workers", CPU if what == "cpu_s" else what)


def _each(metric: str, labels: tuple[str, str], values: list[float]) -> Iterator[Sample]:
    for value in values:
        yield Sample(metric, labels, value)


def _sessions(sample: Mapping[str, Any], limits: Mapping[str, int]) -> Iterator[Sample]:
    for service, sessions in sample.get("connections", {}).items():
        for state in _SESSION_STATES:
            if sessions and sessions.get(state) is not None:
                yield Sample("loadtest_server_sessions", (service, state), sessions[state])
        if service in limits:
            yield Sample("loadtest_pool_connections_limit", (service,), limits[service])
    yield from _work(sample)


def _work(sample: Mapping[str, Any]) -> Iterator[Sample]:
    """Return what servers executed, and what went between them and the target."""
    for service, counters in sample.get("counters", {}).items():
        known = counters or {}
        if known.get("queries") is not None:
            yield Sample("loadtest_server_queries_total", (service,), known["queries"])
        if known.get("query_time_s") is not None:
            yield Sample("loadtest_server_query_seconds_total", (service,), known["query_time_s"])
    for service, traffic in sample.get("traffic", {}).items():
        for direction in ("sent", "recv"):
            count = (traffic or {}).get(f"{direction}_bytes")
            if count is not None:
                labels = (service, "received" if direction == "recv" else direction)
                yield Sample("loadtest_target_network_bytes_total", labels, count)


def _host(host: Mapping[str, Any]) -> Iterator[Sample]:
    for mode, what in _HOST_MODES.items():
        if host.get(what) is not None:
            yield Sample("loadtest_host_cpu_seconds_total", (mode,), host[what])
    if host.get("cores_usable") is not None:
        yield Sample("loadtest_host_cores", (), host["cores_usable"])
    if host.get("memory_available_bytes") is not None:
        free = host["memory_available_bytes"]
        yield Sample("loadtest_host_memory_available_bytes", (), free)
    for what, limit in host.get("limits", {}).items():
        if limit["used"] is not None and limit["limit"]:
            share = limit["used"] / limit["limit"]
            yield Sample("loadtest_host_limit_used_ratio", (what,), share)


def exporter_values(folder: Path, proc: Path, read_s: float) -> Iterator[Sample]:
    """Return what the exporter measures itself, at each scrape.

    Args:
        folder: On the file system of the results.
        proc: ``/proc``.
        read_s: When the run's files were read last, seconds of the epoch.
    """
    found = os.statvfs(folder)
    yield Sample("loadtest_host_disk_free_bytes", (), found.f_bavail * found.f_frsize)
    yield from _pressure(proc)
    yield Sample("loadtest_exporter_cpu_seconds_total", (), time.process_time())
    yield Sample("loadtest_exporter_read_timestamp_seconds", (), read_s)


def _pressure(proc: Path) -> Iterator[Sample]:
    """Return the kernel's pressure stall times (PSI); nothing where it does not count them.

    Args:
        proc: ``/proc``.

    Source:
        Linux, Documentation/accounting/psi.rst.
    """
    for resource in ("cpu", "memory", "io"):
        try:
            lines = (proc / "pressure" / resource).read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            kind, *pairs = line.split()
            total_us = int(dict(pair.split("=") for pair in pairs)["total"])
            labels = (resource, kind)
            yield Sample("loadtest_host_pressure_stall_seconds_total", labels, total_us / 1e6)
