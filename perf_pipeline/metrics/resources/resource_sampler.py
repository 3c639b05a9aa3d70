"""Samples, about once a second, the use of the processes of a run and the counters of servers.

Workers, harness and servers are separate. A value that could not be read is None, never zero, with
its reason in ``problems``.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from perf_pipeline.host.target_processes import CPU, target_processes
from perf_pipeline.metrics.resources.host_use import read_host
from perf_pipeline.metrics.resources.loaded_server import LOADED_SERVER
from perf_pipeline.metrics.resources.network.target_traffic import TargetTraffic
from perf_pipeline.metrics.resources.network.traffic_summary import TRAFFIC
from perf_pipeline.metrics.resources.process import (
    IO_DELAY,
    MANY_THREADS,
    NO_IO_DELAY,
    RUN_DELAY,
    ProcessReader,
    children_of,
)
from perf_pipeline.metrics.resources.resource_samples import (
    CHILDREN_S,
    NOT_COUNTED,
    TOO_MANY_CHILDREN,
)
from perf_pipeline.metrics.resources.server_watch import ServerWatch
from perf_pipeline.redaction.redact import redacted_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from perf_pipeline.host.target_processes import TargetProcesses
    from perf_pipeline.metrics.resources.loaded_server import LoadedServer
    from perf_pipeline.metrics.resources.process import Usage
    from perf_pipeline.servers.probe import WatchedServer
    from perf_pipeline.servers.snapshot import ServerSnapshot

COSTLY_EVERY = 5
COSTLY_PER = 2
"""Of five samples, two in a row ask every thread of large processes: growth needs two."""

_NOT_NOW = (
    f"read in {COSTLY_PER} of {COSTLY_EVERY} samples of processes of more than {MANY_THREADS} "
    "threads, so that reading costs little"
)


class ResourceSampler:
    """Appends one JSON line a sample to a file.

    A line holds ``at_ns``; what taking it cost (``took_ms`` by the clock, ``cpu_ms``); for each
    role (``workers``, ``children``, which the workers have started, with their ``name``,
    ``harness``, ``servers``, with their ``service``) what its processes use (``process.py``), of a
    worker ``tree_cpu_s`` besides (``target_processes.py``); the ``host`` (``host_use.py``);
    ``connections`` and ``counters`` by server (``servers/snapshot.py``), the latter ``shared``
    where others may be using the server; ``traffic`` of the target by server
    (``network/target_traffic.py``); and ``problems`` by probe.
    """

    def __init__(
        self,
        path: Path,
        servers: Mapping[str, WatchedServer],
        *,
        helpers: Iterable[int] = (),
        loaded: LoadedServer | None = None,
        children_s: float = CHILDREN_S,
    ) -> None:
        """Write to ``path``; no server is asked before the first sample.

        Args:
            path: The file, JSON lines.
            servers: Service to what is watched of it.
            helpers: Process ids of the harness beside this one.
            loaded: The server that requests go to, if it is on this machine.
            children_s: How long a sample may read what the workers have started; each process
                takes about 0.1 ms.
        """
        self._path = path
        self._harness = (os.getpid(), *helpers)
        self._loaded = loaded
        self._children_s = children_s
        self._watches = {name: ServerWatch(server) for name, server in servers.items()}
        self._traffic = TargetTraffic(servers, ours=self._own_processes)
        self._reader = ProcessReader()
        self._samples = 0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the sessions with the servers."""
        self._traffic.close()
        for watch in self._watches.values():
            watch.close()

    def sample(self, at_ns: int, worker_pids: list[int]) -> None:
        """Take one sample and append it.

        It takes ``PROBE_S`` at most when a server stops answering, and little when one goes on
        doing so.

        Args:
            at_ns: CLOCK_MONOTONIC.
            worker_pids: The workers that are alive.
        """
        begun_s, cpu_s = time.monotonic(), time.thread_time()
        beside_s = self._traffic.cpu_s
        for watch in self._watches.values():
            watch.begin()
        problems: dict[str, str] = {}
        found = target_processes(worker_pids, os.getpid())
        line: dict[str, Any] = {
            "at_ns": at_ns,
            **self._target(worker_pids, found, problems),
            "harness": self._processes("harness", self._harness, problems),
            "servers": self._servers(found, problems),
            "host": _host(problems),
            "connections": {},
            "counters": {},
            TRAFFIC: self._traffic_with(found, problems),
            "problems": problems,
        }
        if not self._reader.counts_io_delay:
            problems[NOT_COUNTED + IO_DELAY] = NO_IO_DELAY
        asking_s = sum(
            self._add_answer(name, watch, begun_s, line) for name, watch in self._watches.items()
        )
        line["took_ms"] = round(1e3 * (time.monotonic() - begun_s), 3)
        asking_s += self._traffic.cpu_s - beside_s
        line["cpu_ms"] = round(1e3 * (time.thread_time() - cpu_s + asking_s), 3)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(redacted_values(line)) + "\n")
        self._samples += 1

    def _own_processes(self) -> list[int]:
        """Return the processes of the harness, with those that its helpers have started."""
        started = (pid for helper in self._harness[1:] for pid in _below(helper))
        return [*self._harness, *started]

    @property
    def _delays(self) -> tuple[str, ...]:
        return (RUN_DELAY, IO_DELAY) if self._reader.counts_io_delay else (RUN_DELAY,)

    @property
    def _costly(self) -> bool:
        return self._samples % COSTLY_EVERY < COSTLY_PER

    def _processes(
        self, role: str, pids: Iterable[int], problems: dict[str, str], *, lasting: bool = False
    ) -> list[Usage]:
        read = []
        for pid in pids:
            try:
                usage, gaps = self._reader.read(pid, lasting=lasting, costly=self._costly)
            except OSError as error:
                problems[f"{role} {pid}"] = error.strerror or str(error)
                continue
            if usage[RUN_DELAY] is None and "delays" not in gaps:
                problems |= {f"{NOT_COUNTED}{role} {what}": _NOT_NOW for what in self._delays}
            problems |= {f"{role} {pid} {part}": reason for part, reason in gaps.items()}
            read.append(usage)
        return read

    def _traffic_with(
        self, found: dict[int, TargetProcesses], problems: dict[str, str]
    ) -> dict[str, Any]:
        """Read what went between the target and each server so far."""
        pids = [*found, *(pid for one in found.values() for pid in one.children)]
        traffic, unavailable = self._traffic.read(pids)
        problems |= {f"{NOT_COUNTED}{TRAFFIC} {name}": why for name, why in unavailable.items()}
        return {name: asdict(one) for name, one in traffic.items()}

    def _target(
        self, pids: list[int], found: dict[int, TargetProcesses], problems: dict[str, str]
    ) -> dict[str, list[dict[str, Any]]]:
        """Read the workers and what they have started."""
        workers: list[dict[str, Any]] = []
        for usage in self._processes("workers", pids, problems):
            mine = found.get(int(usage["pid"] or 0))
            workers.append(usage | {CPU: None if mine is None else mine.cpu_s})
        below = {pid: name for one in found.values() for pid, name in one.children.items()}
        children: list[dict[str, Any]] = []
        begun_s = time.monotonic()
        for pid, name in below.items():
            if time.monotonic() - begun_s > self._children_s:
                problems[f"children {pid}"] = TOO_MANY_CHILDREN
                break
            try:
                usage, gaps = self._reader.read(pid, costly=self._costly)
            except ProcessLookupError:
                continue  # it has just ended; its CPU time is in ``tree_cpu_s``
            except OSError as error:
                problems[f"children {pid}"] = error.strerror or str(error)
                continue
            problems |= {f"children {pid} {part}": reason for part, reason in gaps.items()}
            children.append(usage | {"name": name})
        return {"workers": workers, "children": children}

    def _servers(
        self, target: Mapping[int, TargetProcesses], problems: dict[str, str]
    ) -> list[dict[str, Any]]:
        """Read the servers whose processes are known, with the processes below them."""
        known = {name: watch.server.current_pids() for name, watch in self._watches.items()}
        if self._loaded is not None:
            known[LOADED_SERVER] = self._loaded.pids
            if self._loaded.problem:
                problems[f"{NOT_COUNTED}servers {LOADED_SERVER}"] = self._loaded.problem
        # The process of a user's server may be the one that has started this run.
        counted = {
            *self._harness,
            *target,
            *(pid for one in target.values() for pid in one.children),
        }
        found: list[dict[str, Any]] = []
        for name, pids in known.items():
            for main in (pid for pid in pids if pid not in counted):
                read = self._processes("servers", [main], problems, lasting=True)
                if read:
                    below = [pid for pid in _below(main) if pid not in counted]
                    read += self._processes("servers", below, problems)
                found += [usage | {"service": name} for usage in read]
        return found

    def _add_answer(
        self, name: str, watch: ServerWatch, begun_s: float, line: dict[str, Any]
    ) -> float:
        """Add what a server tells to the line; returns the CPU seconds that asking took."""
        answer = watch.answer(begun_s)
        if answer.snapshot is None:
            for what in ("connections", "counters"):
                line["problems"][f"{what} {name}"] = answer.problem
        else:
            _add(line, name, answer.snapshot, shared=watch.server.shared)
        return answer.cpu_s


def _add(line: dict[str, Any], name: str, snapshot: ServerSnapshot, *, shared: bool) -> None:
    line["connections"][name] = asdict(snapshot.connections)
    line["counters"][name] = asdict(snapshot.counters) | {"shared": shared}
    for value, reason in snapshot.unavailable.items():
        line["problems"][f"{NOT_COUNTED}{name} {value}"] = reason


def _below(pid: int) -> list[int]:
    try:
        return children_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has just ended; the next sample says so


def _host(problems: dict[str, str]) -> dict[str, Any] | None:
    try:
        return read_host()
    except OSError as error:
        problems["host"] = str(error)
        return None
