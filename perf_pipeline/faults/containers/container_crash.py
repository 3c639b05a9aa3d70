"""The engine kills a server's container, and starts it again on the same data at the end.

It answers 0.25 to 0.42 s after it was asked to (measured), when the processes have long ended:
evidence begins with the kernel's word on them, not with that answer.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.containers.container_fault import (
    ContainerFault,
    ServerContainer,
    start_ended,
    undo_for_dead,
)
from perf_pipeline.faults.fault import Sign
from perf_pipeline.faults.process_faults import is_ending, is_listening
from perf_pipeline.servers.stack.docker_container import DockerContainer, host_processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Place

_POLL_S = 0.005


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Start the container of an entry again, if it has ended."""
    undo_for_dead(entry, start_ended)


class ContainerCrash(ContainerFault):
    """Kills the container of a server; see ``Fault``."""

    def __init__(self, place: Place) -> None:
        """Prepare."""
        super().__init__(place)
        self._is_here = False
        self._killing: Future[None] | None = None

    def preflight(self) -> None:
        """Find the container."""
        self.found = container = ServerContainer(self.place)
        pids = host_processes(container.before.pid, container.container_id)
        self._is_here = pids != ()

    def inject(self) -> None:
        """Kill it; return once its main process has ended, or the engine has answered."""
        engine = DockerContainer(self.container.engine.engine, self.container.container_id)
        killer = ThreadPoolExecutor(1)
        self._killing = killer.submit(engine.kill)
        killer.shutdown(wait=False)
        while not self._killing.done():
            if self._has_ended():
                return
            self.place.sleep(_POLL_S)
        self._killing.result()
        wait_until_it_acts(self, self.place)

    def sign(self) -> Sign:
        """Try to connect to the server, ask the kernel for its process, and the engine for both.

        The engine's own proxy accepts connections for a while after the process has ended.
        """
        accepts = is_listening(self.container.server)
        now, before = self.container.engine.inspect(), self.container.before
        is_same = now.pid in (before.pid, 0)  # 0: the engine knows that it has ended
        has_ended = is_same and self._has_ended()
        text = f"container {now.status}, connections are {'accepted' if accepts else 'refused'}"
        if has_ended:
            text += "; its main process has ended"
        return Sign(
            in_effect=has_ended or (now.status == "exited" and not accepts),
            value=float(accepts),
            text=text,
        )

    def undo(self) -> None:
        """Start it again, if it has ended; the engine must have noticed that."""
        if self._killing is not None:
            wait([self._killing])
        if self.found is not None:
            start_ended(self.found.engine)

    def _has_ended(self) -> bool:
        """Return whether the main process that it had has ended, as this machine's kernel tells."""
        return self._is_here and is_ending(self.container.before.pid)
