"""Functions of a user's own that leak a known amount, or nothing, beside work on a runtime.

The work is kailash's where ``PLANTED_ON`` is ``kailash``, and a little arithmetic otherwise.
Imported in the target's process: the standard library and what is in kailash's environment.
"""

from __future__ import annotations

import itertools
import os
import threading
from typing import Any

import psycopg2

OBJECT_BYTES = 512
FILES_PER, CONNECTIONS_PER, THREADS_PER = 100, 1000, 1000
"""One is left open or running after every so many calls of a process."""

_KEPT: list[Any] = []
_CALLS = itertools.count(1)
_NEVER = threading.Event()
_THREAD = threading.local()


def clean(number: int) -> None:
    """Leak nothing."""
    _work(number)


def keeps_an_object(number: int) -> None:
    """Leak an object."""
    _work(number)
    _KEPT.append(bytearray(OBJECT_BYTES))


def keeps_a_file(number: int) -> None:
    """Leak a file descriptor after every 100 calls."""
    _work(number)
    _keep_file(next(_CALLS))


def keeps_a_connection(number: int) -> None:
    """Leak a connection to PostgreSQL after every 1000 calls."""
    _work(number)
    _keep_connection(next(_CALLS))


def keeps_a_thread(number: int) -> None:
    """Leak a thread after every 1000 calls."""
    _work(number)
    _keep_thread(next(_CALLS))


def keeps_everything(number: int) -> None:
    """Leak all of it."""
    keeps_an_object(number)
    call = next(_CALLS)
    _keep_file(call)
    _keep_connection(call)
    _keep_thread(call)


def _keep_file(call: int) -> None:
    if call % FILES_PER == 0:
        _KEPT.append(os.open(os.devnull, os.O_RDONLY))


def _keep_connection(call: int) -> None:
    if call % CONNECTIONS_PER == 0:
        _KEPT.append(psycopg2.connect(os.environ["PERF_PIPELINE_POSTGRES_URL"]))


def _keep_thread(call: int) -> None:
    if call % THREADS_PER == 0:
        threading.Thread(target=_NEVER.wait, daemon=True).start()


def _work(number: int) -> None:
    if os.environ.get("PLANTED_ON") != "kailash":
        assert sum(range(number % 100)) * 2 == (number % 100) * (number % 100 - 1)
        return
    if not hasattr(_THREAD, "runtime"):
        _THREAD.runtime, _THREAD.workflow = _kailash()
    results, _ = _THREAD.runtime.execute(_THREAD.workflow)
    assert results["double"]["result"] == {"answer": 42}


def _kailash() -> tuple[Any, Any]:
    """Return a runtime of this thread and its workflow, as the target ``kailash`` makes them.

    With its monitoring kailash leaks by itself: a file of its own grows by 1.3 kB a workflow.
    """
    threading.stack_size(1 << 18)  # a code node limits the address space of the process
    from kailash.runtime.local import LocalRuntime  # noqa: PLC0415
    from kailash.workflow.builder import WorkflowBuilder  # noqa: PLC0415

    builder = WorkflowBuilder()
    builder.add_node("PythonCodeNode", "double", {"code": "result = {'answer': 21 * 2}"})
    runtime = LocalRuntime(enable_monitoring=False)
    runtime.mark_externally_managed()
    return runtime, builder.build()
