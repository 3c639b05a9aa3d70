"""Probes of servers under load, over one session that is opened again after a failure."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from perf_pipeline.servers.lifecycle.started_server import current_pids
from perf_pipeline.servers.stack.docker_container import container_processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from perf_pipeline.samples.manifest import ContainerRecord
    from perf_pipeline.servers.snapshot import ServerSnapshot

Session = TypeVar("Session")
Result = TypeVar("Result")

PROBE_S = 2.0
"""An answer that takes longer is a gap; libpq's time to connect cannot be bounded below it."""


class Probe(Protocol):
    """Asks one server for a snapshot, over a session that stays open between questions."""

    def ask(self) -> ServerSnapshot:
        """Ask; each answer of the server is awaited for ``PROBE_S`` at most.

        Raises:
            NotAnsweringError: It did not answer, or not well.
        """

    def close(self) -> None:
        """End the session; the next question opens another."""


@dataclass(frozen=True)
class WatchedServer:
    """A server that is watched while load runs.

    Attributes:
        pids: Its main process, if we started it.
        shared: Other programs may use it as well, so its counters are not the run's alone.
        probe: What asks it.
        addresses: Host and port of each TCP address that its URL names.
        folder: Its folder, if we started it.
        container: What it runs in, if it is one of the stack's; None otherwise.
    """

    pids: tuple[int, ...]
    shared: bool
    probe: Probe
    addresses: tuple[tuple[str, int], ...] = ()
    folder: Path | None = None
    container: ContainerRecord | None = None

    def current_pids(self) -> tuple[int, ...]:
        """Return its main process as it is now: another after a crash."""
        has_ended = not all(Path(f"/proc/{pid}").exists() for pid in self.pids)
        if self.container is not None and (has_ended or not self.pids):
            return container_processes(self.container)
        return current_pids(self.folder, self.pids) if has_ended else self.pids


class ProbeSession(Generic[Session]):
    """Opens a session at the first question; a question that fails ends it."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Session]]) -> None:
        """Prepare; nothing is opened.

        Args:
            begin: Opens a session. The error of a question passes through the end of the session,
                which may turn it into another error.
        """
        self._begin = begin
        self._open: tuple[ExitStack, Session] | None = None

    def ask(self, question: Callable[[Session], Result]) -> Result:
        """Return what ``question`` returns; when it fails, the session ends."""
        opened, self._open = self._open, None
        with ExitStack() if opened is None else opened[0] as stack:
            session = stack.enter_context(self._begin()) if opened is None else opened[1]
            result = question(session)
            self._open = (stack.pop_all(), session)
        return result

    def close(self) -> None:
        """End the session, if there is one."""
        opened, self._open = self._open, None
        if opened is not None:
            opened[0].close()
