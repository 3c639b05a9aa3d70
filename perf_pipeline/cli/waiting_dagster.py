"""A Dagster process that imports while the command line still checks what it shall run.

Dagster and the project's assets take about a second to import, and so does what checks a scenario;
side by side, the run begins a second sooner. The process has its own session, so that Ctrl-C
reaches the command line alone, and it is bound to it, so that it ends if that is killed.
Configuration and log are unnamed files, so that a killed process leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import CHECKED_RUN, FAILURE_NOTE, PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BIND = f"""
import signal, sys
from perf_pipeline.lifeline import bind_to_parent
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & ignores it
bind_to_parent({int(signal.SIGTERM)}, int(sys.argv[-2]))
"""
"""The process itself does what ``lifeline.bound_command`` does, and starts one interpreter less."""

FOLLOW_ORDERS = """
import json, os, sys
with open(int(sys.argv[-1]), encoding="utf-8") as orders:
    given = orders.read()
if not given:
    sys.exit(0)  # there is nothing to run
given = json.loads(given)
os.environ.clear()
os.environ.update(given["environ"])
sys.argv = ["dagster", *given["arguments"]]
"""
"""Waits for arguments and environment, and goes on with them."""

_MEASURING = """
from perf_pipeline.analysis.measuring_process import start_measuring_process
start_measuring_process()
"""
_WORKERS = """
from perf_pipeline.first_workers import prepare_first_workers
prepare_first_workers()
"""


def job_program(*, is_measured: bool) -> str:
    """Return the program that executes a job.

    The orders usually come while Dagster is imported; the project's assets are imported after
    that, or before where the orders take longer.

    Args:
        is_measured: The job plays a run and measures it at its end. Other processes import what
            that takes, and what is measured: the workers of the first level.
    """
    return f"""
import gc, select, sys
gc.disable()
{_MEASURING if is_measured else ""}
from assets.execution.lazy_imports import SELDOM_USED, import_lazily
import_lazily(SELDOM_USED)
import dagster
if not select.select([int(sys.argv[-1])], [], [], 0)[0]:
    import assets.execution.job_process
{FOLLOW_ORDERS}
{_WORKERS if is_measured else ""}
from assets.execution.job_process import execute
gc.freeze()
gc.enable()
sys.exit(execute(*sys.argv[1:]))
"""


class WaitingDagster:
    """A process that executes a job when it is told to.

    Attributes:
        process: The process.
        log: What it prints.
    """

    def __init__(self, program: str) -> None:
        """Start it.

        Args:
            program: What it runs, in Python: a ``job_program``, or another with ``FOLLOW_ORDERS``.
        """
        self._config, self._checked, self._failure, self.log = (
            tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``close``
            for _ in range(4)
        )
        orders, self._orders = os.pipe2(os.O_CLOEXEC)
        files = [one.fileno() for one in (self._config, self._checked, self._failure)]
        bound, parent = f"{_BIND}{program}", str(os.getpid())
        command = [sys.executable, "-I", "-c", bound, "dagster", parent, str(orders)]
        try:
            self.process = subprocess.Popen(
                command,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=self.log,
                pass_fds=[orders, *files],
                start_new_session=True,
            )
        finally:
            os.close(orders)

    def execute(self, job: str, config: bytes, checked: bytes, environ: Mapping[str, str]) -> None:
        """Let it run; called once.

        Args:
            job: Name of the job.
            config: The configuration of the run, JSON.
            checked: What was checked (``loadgen/checked_run.py``).
            environ: Its environment, without what it is handed here.
        """
        for file, content in ((self._config, config), (self._checked, checked)):
            file.write(content)
            file.flush()
        files = f"/proc/{self.process.pid}/fd"  # not "self": steps may have processes of their own
        handed = {
            CHECKED_RUN: f"{files}/{self._checked.fileno()}",
            FAILURE_NOTE: f"{files}/{self._failure.fileno()}",
        }
        orders = {
            "arguments": [job, f"/proc/self/fd/{self._config.fileno()}"],
            "environ": {**environ, **handed},
        }
        with (
            contextlib.suppress(BrokenPipeError),  # it has failed already, and its log says why
            open(self._orders, "w", encoding="utf-8", closefd=False) as pipe,
        ):
            pipe.write(json.dumps(orders))
        self._stop_ordering()

    def failure_note(self) -> bytes:
        """Return what it noted of its failure."""
        self._failure.seek(0)
        return self._failure.read()

    def close(self) -> None:
        """End it, if it still runs, and release what it took."""
        self._stop_ordering()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for file in (self._config, self._checked, self._failure, self.log):
            file.close()

    def _stop_ordering(self) -> None:
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1


_prepared: list[WaitingDagster] = []


@contextlib.contextmanager
def prepared_dagster(*, is_measured: bool) -> Iterator[None]:
    """Start one for the command that is about to be called; end it if that did not take it."""
    _prepared.append(WaitingDagster(job_program(is_measured=is_measured)))
    try:
        yield
    finally:
        while _prepared:
            _prepared.pop().close()


def waiting_dagster(*, is_measured: bool) -> WaitingDagster:
    """Return the one that was prepared, or a new one; the caller closes it."""
    if _prepared:
        return _prepared.pop()
    return WaitingDagster(job_program(is_measured=is_measured))
