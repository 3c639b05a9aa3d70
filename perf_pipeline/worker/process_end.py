"""The end of a worker process: what the target registered for it runs, for a bounded time."""

from __future__ import annotations

import atexit
import sys
import threading
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

from perf_pipeline.worker.own_time import (
    exit_process,
    new_lock,
    sleep,
    start_thread,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable

END_S = 1.5
"""For the target's exit handlers; below the time that an interrupted run gives its workers."""

THREADS_SHARE = 0.5
"""Share of that time in which threads and pools may end; exit handlers run after it in any case."""


def end_process(code: int, limit_s: float = END_S) -> None:
    """Run the exit handlers as an interpreter does at its end, then end; all records are stored.

    Threads that are still in a workflow are not waited for: they are recorded as abandoned. A
    handler that takes too long is abandoned too, such as one that joins a process without an end.

    Args:
        code: The exit code.
        limit_s: After this long the process ends, whatever still runs.
    """

    def end_at_limit() -> None:
        sleep(limit_s)
        write(2, f"exit handlers still ran after {limit_s:g} s and were abandoned\n".encode())
        exit_process(code)

    try:
        start_thread(end_at_limit, ())
    except RuntimeError:  # no thread is left, so nothing would bound the handlers
        _flush_and_exit(code)
    # As Py_FinalizeEx does: threads and pools of processes first, then the module atexit.
    _end_threads(limit_s * THREADS_SHARE)
    _shown(atexit._run_exitfuncs)  # noqa: SLF001
    _flush_and_exit(code)


def end_later(code: int, limit_s: float, why: str) -> Callable[[], None]:
    """End this process in ``limit_s``, exit handlers included, unless that is called off.

    Args:
        code: The exit code.
        limit_s: How long from now.
        why: A line for the worker's log.

    Returns:
        What calls it off.
    """
    called_off = new_lock()
    called_off.acquire()

    def wait() -> None:
        if not called_off.acquire(True, limit_s):
            write(2, f"{why}, and was abandoned\n".encode(errors="backslashreplace"))
            end_process(code)

    try:
        start_thread(wait, ())
    except RuntimeError:
        return lambda: None  # no thread is left; the supervisor ends what hangs
    release: Callable[[], None] = called_off.release
    return release


def _end_threads(limit_s: float) -> None:
    """Let the pools of ``concurrent.futures`` end, then the threads that are no daemons."""
    ended = new_lock()
    ended.acquire()
    calling = threading.current_thread()

    def end() -> None:
        # What threading._shutdown does, which waits for the main thread unless that calls it.
        for end_pools in reversed(getattr(threading, "_threading_atexits", [])):
            _shown(end_pools)
        for thread in threading.enumerate():
            if not thread.daemon and thread not in (threading.main_thread(), calling):
                _shown(thread.join)
        ended.release()

    try:
        start_thread(end, ())
    except RuntimeError:  # no thread is left
        return
    if not ended.acquire(True, limit_s):
        left = f"threads or pools still ran after {limit_s:g} s, and were not waited for\n"
        write(2, left.encode())


def _shown(run: Callable[[], object]) -> None:
    """Run code of the target's; what it raises is shown in the worker's log."""
    try:
        run()
    except BaseException:  # noqa: BLE001
        traceback.print_exc()


def _flush_and_exit(code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # the target's by now
            stream.flush()
    exit_process(code)
