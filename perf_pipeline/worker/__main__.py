"""The worker process: ``start.py perf_pipeline.worker PYTHON_PATH JOB.json [ADDRESSES ...]``.

Opens the target, executes each kind of workflow once (the cold start, recorded separately), states
that it is ready, waits for the go, plays until the stop, lets workflows in flight end, commits the
remaining records and ends. The supervisor steers it through the slot file (``samples/slots.py``)
and rings its bell when it has changed a value there.

Exit codes: 0 done, 1 the target could not be opened or a slot could not play, 2 the journal
could not be written.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import sqlite3
import sys
import traceback
import tracemalloc
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.logs.log import PROCESS_LOG
from perf_pipeline.samples.disk_space import is_disk_full
from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.slots import DISK_FULL, SlotFile
from perf_pipeline.worker.bell import Bell
from perf_pipeline.worker.process_end import end_process
from perf_pipeline.worker.timer_slack import tighten_timers
from perf_pipeline.worker.worker_job import job_arguments, log_name, read_job

if TYPE_CHECKING:
    from perf_pipeline.logs.ecs import Outcome

FAILED = 1
PLAYERS = {"threads": "thread_worker", "asyncio": "task_worker"}
"""Module that plays each mode; the other module is not imported."""
JOB_ARGUMENTS = 2


def main(arguments: list[str]) -> int:
    """Run one worker and end the process.

    Args:
        arguments: Those of ``read_job``; of a worker whose job is not written yet, a socket and
            the name of its target besides.
    """
    code = FAILED
    try:
        wait_for_job(*arguments[JOB_ARGUMENTS:])
        code = play_job(*job_arguments(arguments[:JOB_ARGUMENTS]))
    except BaseException as error:  # noqa: BLE001 of the target; its slots must not keep the process
        traceback.print_exc()
        PROCESS_LOG.write("error", "worker-failed", str(error), outcome="failure", error=error)
    ended = f"the worker process ends with code {code}"
    outcome: Outcome = "failure" if code else "success"
    PROCESS_LOG.write("info", "worker-ends", ended, outcome=outcome, exit_code=code)
    PROCESS_LOG.close()
    end_process(code)
    return code


def wait_for_job(orders: str = "", target: str = "") -> None:
    """Import the target until the job is written; end the process if there is none.

    Args:
        orders: Descriptor of a socket of the supervisor's; empty if the job is written already.
        target: Name of the target's folder.
    """
    if not orders:
        return
    supervisor = int(orders)
    os.set_inheritable(supervisor, False)
    set_up_process()
    import_module(f"perf_pipeline.targets.{target}.adapter")
    os.write(supervisor, b"\n")
    if not os.read(supervisor, 1):
        os._exit(0)
    os.close(supervisor)


def set_up_process() -> None:
    """Set what concerns the whole process."""
    faulthandler.enable()
    allow_all_descriptors()
    tighten_timers()


def play_job(path: Path, addresses: int | None = None) -> int:
    """Run one worker from its job (``read_job``); returns the exit code."""
    job = read_job(path, addresses)
    set_up_process()
    PROCESS_LOG.open(job.job.log, log_name(path, job.job.log.labels.get("level", "")))
    PROCESS_LOG.write("info", "worker-began", f"worker {job.worker} opens {job.target}")
    os.set_inheritable(job.bell, False)  # what the target starts has no use for it
    slots = SlotFile(Path(job.slots))
    if job.trace is not None:  # what the target allocates while it is imported is traced too
        tracemalloc.start()
    adapter = import_module(f"perf_pipeline.targets.{job.target}.adapter")
    players = "endurance." if job.hours else ""
    player = import_module(f"perf_pipeline.worker.{players}{PLAYERS[job.mode]}")
    try:
        journal = JournalWriter(Path(job.journal))
        code: int = player.play(job, adapter, journal, slots, Bell(job.bell))
    except sqlite3.Error as error:
        slots.words[DISK_FULL] = int(is_disk_full(error))
        print(f"the journal could not be written: {error}", file=sys.stderr)  # noqa: T201
        PROCESS_LOG.write("error", "journal-failed", str(error), outcome="failure", error=error)
        return 2
    return code


def allow_all_descriptors() -> None:
    """Raise the limit on descriptors as far as allowed; each slot of kailash takes three."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
