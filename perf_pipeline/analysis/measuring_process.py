"""A process that measures a run, and has imported what that takes when the load ends.

numpy, polars and the analysis take half a second of processor time to import, for which nobody
should wait, neither before the load nor after it. This process imports them with what others leave
idle (SCHED_IDLE): while Dagster is imported on another core, and never at the expense of a worker.
Where it has not got that far when it is asked, or fails, the run is measured by whoever asks, who
then explains what is wrong.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.lifeline import bound_command
from perf_pipeline.redaction.redact import REDACTOR, remember_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COMMAND = (sys.executable, "-I", "-m", "perf_pipeline.analysis.measuring_process")
_MEASURING = "perf_pipeline.analysis.measure"
READY, MEASURED = "ready\n", "measured\n"


class MeasuringProcess:
    """Measures one run; it ends with the process that started it.

    Attributes:
        pid: Its process id.
    """

    def __init__(self, command: Sequence[str] = _COMMAND) -> None:
        """Start it.

        Args:
            command: Says ``READY``, takes a line of ``_measure_asked``, and says ``MEASURED``.

        Raises:
            OSError: It cannot be started.
        """
        self._process = subprocess.Popen(
            bound_command(list(command), signal.SIGKILL, os.getpid()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is the run's, which may still report
        )
        self.pid = self._process.pid

    def measure(self, folder: Path, meanwhile: Callable[[], None]) -> bool:
        """Measure a run and store its metrics; return False if it was not measured.

        Args:
            folder: The run's.
            meanwhile: Called while it measures.
        """
        asking, answers = self._process.stdin, self._process.stdout
        if asking is None or answers is None:
            return False
        if not select.select([answers], [], [], 0)[0] or answers.readline() != READY:
            return False
        asked = {"folder": str(folder.resolve()), "secrets": sorted(REDACTOR.secrets)}
        try:
            asking.write(json.dumps(asked) + "\n")
            asking.flush()
        except OSError:  # it has ended
            return False
        meanwhile()
        return answers.readline() == MEASURED

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was not written is not needed any more
                if stream is not None:
                    stream.close()


_started: list[MeasuringProcess] = []


def start_measuring_process() -> None:
    """Start the process that measures this process's run; without it the run is measured here."""
    with contextlib.suppress(OSError):
        _started.append(MeasuringProcess())


def measuring_pids() -> list[int]:
    """Return the id of the process that waits for the end of the load, if one was started."""
    return [one.pid for one in _started]


def measured_ahead(folder: Path, meanwhile: Callable[[], None]) -> bool:
    """Let the process that was started for it measure a run; return False if nothing was measured.

    Args:
        folder: As of ``MeasuringProcess.measure``.
        meanwhile: Likewise.
    """
    if not _started:
        return False
    process = _started.pop()
    atexit.register(process.close)  # it ends by itself: nobody waits for that
    is_measured = process.measure(folder, meanwhile)
    if not is_measured:
        process.close()
    return is_measured


def main() -> None:
    """Import what measures, and measure the run that a line of standard input names."""
    threading.Thread(target=_prepare, daemon=True).start()
    asked = sys.stdin.readline()
    if asked:
        _measure_asked(asked)
    sys.stdout.flush()
    os._exit(0)  # the thread may still import


def _prepare() -> None:
    """Import what measures with the processor time that is left idle: of this thread alone."""
    with contextlib.suppress(OSError):  # a kernel without it
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    gc.disable()
    import_module(_MEASURING)
    gc.freeze()
    gc.enable()
    sys.stdout.write(READY)
    sys.stdout.flush()


def _measure_asked(asked: str) -> None:
    """Measure a run: ``{"folder": ..., "secrets": [...]}``, the passwords that no file may hold."""
    from perf_pipeline.samples.run_folder import RunFolder  # noqa: PLC0415 - after the request

    request = json.loads(asked)
    remember_secrets(request["secrets"])
    import_module(_MEASURING).measure(RunFolder(Path(request["folder"])))
    sys.stdout.write(MEASURED)


if __name__ == "__main__":
    main()
