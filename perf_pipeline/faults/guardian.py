"""The process that takes failures back when their injector is killed, or forgets them.

::

    step ──death signal──> injector ──pipe──> guardian
                              └────── faults ──────┘

It outlives the injector by as long as it takes: the end of the pipe, or of the injector itself
(a process forked off it may keep the pipe open), has it take back every failure that is open. A
failure that is open for longer than its window and the time to take it back is taken back as well,
even if its injector lives: that one hangs.

Its argument is the injector's process id. Standard input: one JSON object a line, ``{"open": PATH,
"fault": {...}, "within_s": S}`` before a failure is injected, ``{"closed": PATH}`` when it is gone;
the first is ``{"log": {...}}``, what this process logs with.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.faults.fault_journal import mark_undone, open_fault
from perf_pipeline.faults.taking_back import kind_module, take_back
from perf_pipeline.logs.log import PROCESS_LOG, LogContext
from perf_pipeline.logs.run_log import fault_id
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.samples.fault_log import FAULTS_FILE, line

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.faults.fault_journal import OpenFault
    from perf_pipeline.logs.ecs import Level

_CHUNK_BYTES = 65536


@dataclass(frozen=True)
class _Watched:
    fault: OpenFault
    until_s: float


class FaultGuardian:
    """Keeps the list of open failures of one injector."""

    def __init__(
        self, injector_pid: int, source: int, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Watch an injector.

        Args:
            injector_pid: Its process id.
            source: Descriptor of the pipe from it.
            clock_s: Never goes back.

        Raises:
            ProcessLookupError: It has ended already.
        """
        self._injector = os.pidfd_open(injector_pid)
        self._source = source
        self._clock_s = clock_s
        self._received = b""
        self._open: dict[Path, _Watched] = {}

    def run(self) -> None:
        """Watch until the injector has ended; then take back what is open."""
        while True:
            left_s = min((one.until_s for one in self._open.values()), default=None)
            wait_s = None if left_s is None else max(0.0, left_s - self._clock_s())
            ready, _, _ = select.select([self._source, self._injector], [], [], wait_s)
            has_ended = self._injector in ready
            if self._source in ready:
                has_ended = not self._receive() or has_ended
            if has_ended:
                self._take_back_older_than(math.inf, "its injector had ended")
                return
            self._take_back_older_than(self._clock_s(), "its injector hung")

    def _receive(self) -> bool:
        """Take what the pipe has; returns False at its end."""
        received = os.read(self._source, _CHUNK_BYTES)
        *lines, self._received = (self._received + received).split(b"\n")
        for text in lines:
            self._heed(json.loads(text))
        return bool(received)

    def _heed(self, message: dict[str, Any]) -> None:
        if "log" in message:
            PROCESS_LOG.open(LogContext(**message["log"]), "fault-guardian")
            return
        if "closed" in message:
            self._open.pop(Path(message["closed"]), None)
            return
        fault = open_fault(message["fault"])
        kind_module(fault.kind)  # imported now: later every millisecond counts
        until_s = self._clock_s() + message["within_s"]
        self._open[Path(message["open"])] = _Watched(fault, until_s)

    def _take_back_older_than(self, now_s: float, why: str) -> None:
        for path, watched in list(self._open.items()):
            if watched.until_s <= now_s:
                del self._open[path]
                self._take_back(path, watched.fault, why)

    def _take_back(self, path: Path, fault: OpenFault, why: str) -> None:
        log = Path(fault.level) / FAULTS_FILE
        _append(log, line(fault.number, "undoing", time.monotonic_ns()))
        try:
            ended = take_back(fault)
        except Exception as error:  # noqa: BLE001 - the others must be taken back as well
            failed = redacted(f"{why}, and it could not be taken back: {error}")
            _log(fault, "error", failed)
            _append(log, line(fault.number, "failed", time.monotonic_ns(), reason=failed))
            return  # its entry stays: the next run tries again
        said = f"{why}; {ended} by its guardian"
        _log(fault, "warning", said)
        _append(log, line(fault.number, "failed", time.monotonic_ns(), reason=said))
        with suppress(OSError):  # then the next run takes it back once more
            mark_undone(path, said)


def _log(fault: OpenFault, level: Level, text: str) -> None:
    PROCESS_LOG.write(
        level,
        "fault-taken-back",
        f"{fault.name}: {text}",
        dataset="fault",
        outcome="failure" if level == "error" else "success",
        labels={"fault_id": fault_id(fault.kind, fault.number), "level": Path(fault.level).name},
    )


def _append(path: Path, text: str) -> None:
    """Append a line of the level's log; a full disk or a removed folder keeps nothing in effect."""
    with suppress(OSError), path.open("a", encoding="utf-8") as file:
        file.write(text)


def main() -> None:
    """Watch the injector that the argument names."""
    # Ctrl-C, a closed terminal and the end of a session concern the run; we follow its injector.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    FaultGuardian(int(sys.argv[1]), sys.stdin.fileno()).run()
    PROCESS_LOG.close()


if __name__ == "__main__":
    main()
