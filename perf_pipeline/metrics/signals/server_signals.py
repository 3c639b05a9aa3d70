"""The signals of servers: sessions, and the memory of those that keep data in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.resources.process import children_of

if TYPE_CHECKING:
    from perf_pipeline.metrics.resources.process import ProcessReader
    from perf_pipeline.metrics.resources.server_watch import ServerAnswer
    from perf_pipeline.metrics.signals.reading import Reading
    from perf_pipeline.servers.probe import WatchedServer

_MEMORY = {"redis": "used_memory_bytes", "mongodb": "resident_bytes"}
"""Service to the signal of what it reports of its memory, by its name for it."""

_PSS = "pss_bytes"
_NOT_REPORTED = "it does not report it, or not to this user"


def add_answer(reading: Reading, service: str, answer: ServerAnswer) -> None:
    """Add what a server has answered."""
    found: dict[str, float | None] = {"sessions": None}
    if service in _MEMORY:
        found[_MEMORY[service]] = None
    if answer.snapshot is None:
        reading.add(service, found, answer.problem)
        return
    found["sessions"] = answer.snapshot.sessions
    if service in _MEMORY:
        found[_MEMORY[service]] = answer.snapshot.memory_bytes
    reading.add(service, found, _NOT_REPORTED)


def add_processes(
    reading: Reading, service: str, server: WatchedServer, reader: ProcessReader
) -> None:
    """Add what the kernel counts of the memory of a server that this project started.

    A server that keeps data in memory is one process. Of PostgreSQL, with a process a session, it
    would take a millisecond each.
    """
    pids = server.current_pids() if service in _MEMORY else ()
    if pids:
        reading.try_to_add(service, [_PSS], lambda: {_PSS: _pss_bytes(pids, reader)})


def _pss_bytes(pids: tuple[int, ...], reader: ProcessReader) -> float | None:
    """Return the memory of some processes and of their children.

    Raises:
        OSError: A main process could not be read.
    """
    total = 0.0
    for main in pids:
        for pid in (main, *children_of(main)):
            try:
                pss = reader.read(pid, costly=False)[0][_PSS]
            except ProcessLookupError:
                if pid == main:
                    raise
                continue  # a session that has just ended
            if pss is None:
                return None
            total += pss
    return total
