"""Has the failures of a level played by a process of their own, beside the load."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.faults.injector_job import InjectorJob
from perf_pipeline.faults.sweep import still_open, sweep_own
from perf_pipeline.faults.window_play import GONE_S, FaultLog
from perf_pipeline.lifeline import bound_command, own_stamp, stamp
from perf_pipeline.logs.log import NO_LOG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.faults.fault import FaultedServer
    from perf_pipeline.logs.log import LogContext

LOG_FILE = "faults.log"
READY_S = 60.0
STOP_S = GONE_S + 5.0
"""How long the injector may take to take everything back; then its guardian does."""
_GUARDIAN_S = 10.0
_POLL_S = 0.05
_RUN_INJECTOR = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from perf_pipeline.faults.injector import main; main()"
)


class FaultPlay:
    """The failures of a level that is being played; made by ``play_faults``.

    Attributes:
        pid: The injector's process id.
    """

    def __init__(self, job: InjectorJob) -> None:
        """Start the injector."""
        self._state_dir = job.state_dir
        self._urls = [server.url for server in job.servers.values()]
        self._told = b""
        self._swept: list[str] = []
        self._has_swept = False
        command = [sys.executable, "-I", "-c", _RUN_INJECTOR, str(PROJECT.resolve())]
        with (job.folder / LOG_FILE).open("wb") as log:
            self._process = subprocess.Popen(
                bound_command(command, signal.SIGTERM, os.getpid()),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._stamp = stamp(self.pid)
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._has_begun = self._is_ended = False
        self._order(job.to_json())

    def wait_until_ready(self) -> None:
        """Wait until every failure has been checked: the load begins after that."""
        deadline_s = time.monotonic() + READY_S
        while not self._lines() and self._process.poll() is None:
            if time.monotonic() > deadline_s:
                return  # those that are not ready in time say so
            time.sleep(_POLL_S)

    def begin(self, steady_ns: int) -> None:
        """Begin with the steady phase; a second call does nothing.

        Args:
            steady_ns: When it begins, CLOCK_MONOTONIC.
        """
        if not self._has_begun:
            self._has_begun = True
            self._order(f"begin {steady_ns}")

    def end(self) -> None:
        """Have everything taken back, without waiting for it; a second call does nothing."""
        if not self._is_ended:
            self._is_ended = True
            self._order("stop")

    def look(self) -> str:
        """See to what a killed injector left, and return why the level must end.

        Returns:
            The sentence about the floor of the host that was reached; empty while none is.
        """
        if self._process.poll() is not None and not self._has_swept:
            self._swept = self._sweep()
            self._has_swept = bool(self._swept)  # ``stop`` tries again what could not be taken back
        return "; ".join(self._lines()[1:])

    def stop(self) -> list[str]:
        """Have everything taken back, and wait for it.

        Returns:
            A sentence on each failure that its own injector did not take back, or that nobody has
            taken back yet.
        """
        self.end()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its guardian takes back what is in effect
            self._process.wait()
        finally:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        deadline_s = time.monotonic() + _GUARDIAN_S
        while not (swept := self._sweep()) and self._stamp is not None:
            left = still_open(self._stamp, self._state_dir)
            if not left or time.monotonic() > deadline_s:
                swept = left
                break
            time.sleep(_POLL_S)
        return [*self._swept, *swept]

    def _sweep(self) -> list[str]:
        """Take back what neither the injector nor its guardian can any more, and say so."""
        return [] if self._stamp is None else sweep_own(self._state_dir, self._stamp, self._urls)

    def _lines(self) -> list[str]:
        """Return the whole lines that the injector has written so far."""
        pipe = self._process.stdout
        if pipe is not None and not pipe.closed:
            self._told += pipe.read() or b""
        return self._told.decode(errors="replace").split("\n")[:-1]

    def _order(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{text}\n".encode())
        except (BrokenPipeError, ValueError):
            return  # it was killed; ``stop`` sees to what it left


def play_faults(
    windows: Sequence[FaultWindow],
    servers: Mapping[str, FaultedServer],
    folder: Path,
    seed: int,
    *,
    state_dir: Path,
    log: LogContext = NO_LOG,
) -> FaultPlay:
    """Start the process that plays failures; none is injected before ``begin``.

    It ends with the thread that calls this, however that ends, and takes everything back then.

    Args:
        windows: The failures, in the order of the scenario.
        servers: Service to the server that may be faulted (``marker.faulted_server``).
        folder: The level's folder; takes ``faults.jsonl``.
        seed: Of the scenario.
        state_dir: Where the fault journal is.
        log: What its processes log with.
    """
    steps = FaultLog(folder)
    for number, window in enumerate(windows):
        steps.write(number, "planned", window=asdict(window))
    return FaultPlay(
        InjectorJob(tuple(windows), dict(servers), folder, seed, state_dir, own_stamp(), log)
    )
