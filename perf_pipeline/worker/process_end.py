"""The end of a worker process: what the target registered for it runs, for a bounded time."""

from __future__ import annotations

import atexit
import sys
import threading
import traceback
from contextlib import suppress

from perf_pipeline.worker.own_time import exit_process, sleep, start_thread, write

END_S = 1.5
"""For the target's exit handlers; below the time that an interrupted run gives its workers."""


def end_process(code: int, limit_s: float = END_S) -> None:
    """Run the exit handlers as an interpreter does at its end, then end; all records are stored.

    Threads that are still in a workflow are not waited for: they are recorded as abandoned. A
    handler that takes too long is abandoned too, such as one that joins a process without an end.

    Args:
        code: The exit code.
        limit_s: After this long the process ends, whatever still runs.
    """

    def end() -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # the target's by now
                stream.flush()
        exit_process(code)

    def end_later() -> None:
        sleep(limit_s)
        write(2, f"exit handlers still ran after {limit_s:g} s and were abandoned\n".encode())
        exit_process(code)

    try:
        start_thread(end_later, ())
    except RuntimeError:  # no thread is left, so nothing would bound the handlers
        end()
    # As Py_FinalizeEx does: threads and pools of processes first, then the module atexit.
    ends = (threading._shutdown, atexit._run_exitfuncs)  # type: ignore[attr-defined] # noqa: SLF001
    for run in ends:
        try:
            run()
        except BaseException:  # noqa: BLE001 - of the target; shown in the worker's log
            traceback.print_exc()
    end()
