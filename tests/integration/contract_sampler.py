"""What resources.jsonl holds of a level, read by other means than the project's monitor."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg

if TYPE_CHECKING:
    from perf_pipeline.infrastructure.server import Server

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_SESSIONS = (
    "SELECT count(*), count(*) FILTER (WHERE state = 'active'),"
    " count(*) FILTER (WHERE wait_event_type = 'Lock')"
    " FROM pg_stat_activity WHERE application_name = %s"
)


class ContractSampler:
    """Appends one line a sample; reads workers, this process, the machine and PostgreSQL."""

    def __init__(self, path: Path, application: str, postgres: Server | None) -> None:
        self._path = path
        self._application = application
        self._postgres = postgres
        self._session = psycopg.connect(postgres.url, autocommit=True) if postgres else None

    def __call__(self, at_ns: int, worker_pids: list[int]) -> None:
        """Take one sample."""
        line: dict[str, Any] = {
            "at_ns": at_ns,
            "workers": [_process(pid) for pid in worker_pids],
            "harness": [_process(os.getpid())],
            "servers": [],
            "host": _host(),
            "connections": {},
            "counters": {},
            "problems": {},
        }
        if self._postgres and self._session:
            for pid in self._server_pids():
                try:
                    line["servers"].append(_process(pid) | {"service": "postgres"})
                except (psutil.NoSuchProcess, FileNotFoundError) as error:  # a session that ended
                    line["problems"][f"servers {pid}"] = str(error)
            row = self._session.execute(_SESSIONS, [self._application]).fetchone()
            assert row is not None
            total, active, waiting = row
            line["connections"]["postgres"] = {"total": total, "active": active, "waiting": waiting}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """End the session."""
        if self._session:
            self._session.close()

    def _server_pids(self) -> list[int]:
        assert self._postgres is not None
        pids = list(self._postgres.pids)
        for pid in self._postgres.pids:
            pids += [child.pid for child in psutil.Process(pid).children()]
        return pids


def _process(pid: int) -> dict[str, Any]:
    process = psutil.Process(pid)
    cpu, disk = process.cpu_times(), process.io_counters()
    waited_ns = [
        int((task / "schedstat").read_text().split()[1])
        for task in Path(f"/proc/{pid}/task").iterdir()
    ]
    return {
        "pid": pid,
        "pss_bytes": 0,
        "cpu_s": cpu.user + cpu.system,
        "run_delay_s": sum(waited_ns) / 1e9,
        "io_delay_s": None,
        "read_bytes": disk.read_bytes,
        "write_bytes": disk.write_bytes,
    }


def _host() -> dict[str, float]:
    line = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0]
    user, nice, system, idle, iowait, irq, soft, steal = (
        int(word) / _TICKS_PER_S for word in line.split()[1:9]
    )
    return {
        "busy_s": user + nice + system + irq + soft,
        "idle_s": idle,
        "iowait_s": iowait,
        "steal_s": steal,
        "cores_usable": len(os.sched_getaffinity(0)),
    }
