"""Samples, about once a second, what the processes of a run use and what the servers report.

Workers, harness and servers are kept apart. A probe that fails is stored as a gap with its
reason, never as a zero.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class ResourceMonitor:
    """Appends one JSON line a sample to a file.

    A line holds ``at_ns``, and for each role (``workers``, ``harness``, ``servers``) the list of
    its processes with pid, PSS in bytes, CPU seconds since the process started, and bytes read
    from and written to storage; ``connections`` by server; ``problems`` by probe.
    """

    def __init__(
        self,
        path: Path,
        server_pids: Callable[[], list[int]],
        connections: Mapping[str, Callable[[], tuple[int, int | None]]],
    ) -> None:
        """Write to ``path``.

        Args:
            path: The file, JSON lines.
            server_pids: Process ids of the servers that this run started, children included.
            connections: Server to its probe.
        """
        self._path = path
        self._server_pids = server_pids
        self._connections = connections

    def sample(self, at_ns: int, worker_pids: list[int]) -> None:
        """Take one sample and append it.

        Args:
            at_ns: CLOCK_MONOTONIC.
            worker_pids: The workers that are alive.
        """
        line: dict[str, Any] = {"at_ns": at_ns, "connections": {}, "problems": {}}
        roles = {
            "workers": worker_pids,
            "harness": [os.getpid()],
            "servers": self._server_pids(),
        }
        for role, pids in roles.items():
            line[role] = []
            for pid in pids:
                try:
                    line[role].append(_usage(pid))
                except psutil.Error as error:
                    line["problems"][f"{role} {pid}"] = str(error)
        for server, probe in self._connections.items():
            try:
                line["connections"][server] = probe()
            except Exception as error:  # noqa: BLE001 a gap with its reason, whatever the driver raises
                line["problems"][f"connections {server}"] = f"{type(error).__name__}: {error}"
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _usage(pid: int) -> dict[str, float | int | None]:
    process = psutil.Process(pid)
    with process.oneshot():
        cpu = process.cpu_times()
        usage: dict[str, float | int | None] = {
            "pid": pid,
            "pss_bytes": process.memory_full_info().pss,
            "cpu_s": cpu.user + cpu.system,
            "read_bytes": None,
            "write_bytes": None,
        }
        with suppress(psutil.AccessDenied):  # another user's process keeps its None
            disk = process.io_counters()
            usage.update(read_bytes=disk.read_bytes, write_bytes=disk.write_bytes)
    return usage
