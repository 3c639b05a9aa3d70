"""Asks one server beside the others, and does not wait for one that does not answer."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.servers.probe import PROBE_S

if TYPE_CHECKING:
    from perf_pipeline.servers.probe import WatchedServer
    from perf_pipeline.servers.snapshot import ServerSnapshot

IMPATIENT_S = 0.1
"""How long the answer of a server is waited for whose last one did not come in time."""

LATE = f"no answer in {PROBE_S:.0f} s"
STILL_LATE = "no answer to an earlier question yet"


@dataclass(frozen=True)
class ServerAnswer:
    """What became of one question.

    Attributes:
        snapshot: The answer; None without.
        problem: Why there is none; empty otherwise.
        cpu_s: What asking cost this process.
    """

    snapshot: ServerSnapshot | None
    problem: str
    cpu_s: float


class ServerWatch:
    """Reads the counters of a server in its own thread."""

    def __init__(self, server: WatchedServer) -> None:
        """Prepare; nothing is opened."""
        self.server = server
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="server-watch")
        self._asked: Future[ServerAnswer] | None = None
        self._answering = True
        self._fresh = False

    def begin(self) -> None:
        """Ask, unless an earlier question is still open; an answer that came late is dropped."""
        late = self._asked
        if late is not None and late.done():
            self._answering = late.result().snapshot is not None
            self._asked = late = None
        self._fresh = late is None
        if late is None:
            self._asked = self._thread.submit(self._ask)

    def answer(self, asked_at_s: float) -> ServerAnswer:
        """Return the answer if it comes in time.

        Args:
            asked_at_s: ``time.monotonic`` when the sample began.
        """
        if self._asked is None or not self._fresh:
            return ServerAnswer(None, STILL_LATE, 0.0)
        patience_s = PROBE_S if self._answering else IMPATIENT_S
        left_s = max(0.0, asked_at_s + patience_s - time.monotonic())
        try:
            answer = self._asked.result(left_s)
        except LateError:
            problem = LATE if self._answering else STILL_LATE
            self._answering = False
            return ServerAnswer(None, problem, 0.0)
        self._asked = None
        self._answering = answer.snapshot is not None
        return answer

    def close(self) -> None:
        """Wait for an open question, each answer of which has its time limit; end the session."""
        self._thread.shutdown()
        self.server.probe.close()

    def _ask(self) -> ServerAnswer:
        begun_s = time.thread_time()
        try:
            snapshot, problem = self.server.probe.ask(), ""
        except Exception as error:  # noqa: BLE001 a gap with its reason, whatever a driver raises
            snapshot, problem = None, f"{type(error).__name__}: {error}"
        return ServerAnswer(snapshot, problem, time.thread_time() - begun_s)
