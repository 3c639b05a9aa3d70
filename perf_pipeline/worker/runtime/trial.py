"""Tries a user's functions as a worker would: imports them, and calls each once.

Run in the target's environment, before any worker::

    python -P start.py perf_pipeline.worker.runtime.trial PYTHON_PATH ANSWER PYTHON_PATH

Standard input has a ``TrialJob``, whose URLs may carry passwords. The answer is a separate file, as
functions may print, with a JSON object a line: first ``rows``, a result and a sentence for each
function (``targets/try_functions.py``), and ``hidden``, a sentence for each file of the user's
that cannot be imported; then for each call ``begun``, the call, and when it has ended ``raised``,
what it raised (empty for nothing), and ``took_s``. So the reader knows what did not end.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from perf_pipeline.samples.record import cold_number
from perf_pipeline.targets.hidden_modules import hidden_modules, hidden_sentence
from perf_pipeline.targets.raised import what_was_raised
from perf_pipeline.targets.target import Job, ServerAccess
from perf_pipeline.targets.try_functions import tried
from perf_pipeline.targets.user_function import server_environment
from perf_pipeline.worker.own_time import monotonic
from perf_pipeline.worker.process_end import end_process
from perf_pipeline.worker.runtime.trial_job import CALLS, TrialJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.worker.runtime.lifecycle import Lifecycle

CALLERS = {"callable": "thread_caller", "callable_async": "task_caller"}
"""Module that calls for each target; the other module is not imported."""


class Caller(Protocol):
    """Calls functions in the threads in which a worker calls them."""

    lifecycle: Lifecycle

    def execute(self, kind: int, number: int) -> None:
        """Execute a workflow; raises what it raised."""


def call_all(caller: Caller, job: Job, note: Callable[[dict[str, Any]], None]) -> None:
    """Call setup, each function with the numbers of cold starts, and teardown, in this order.

    A setup that raises ends it; a function that raises is called ``CALLS`` times.
    """

    def try_call(shown: str, call: Callable[[], object]) -> bool:
        note({"begun": shown})
        begun_s = monotonic()
        raised = ""
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - of the user; it is reported
            raised = what_was_raised(error)
        note({"raised": raised, "took_s": monotonic() - begun_s})
        return not raised

    stages = caller.lifecycle
    if job.setup and not try_call(f"{job.setup}()", partial(stages.run, "setup")):
        return
    for index, kind in enumerate(job.kinds):
        for attempt in range(CALLS):
            number = cold_number(index, attempt, len(job.kinds))
            if try_call(f"{kind.family}({number})", partial(caller.execute, index, number)):
                break
    if job.teardown:
        try_call(f"{job.teardown}()", partial(stages.run, "teardown"))


def main(arguments: list[str]) -> int:
    """Try the functions, write the answer, and end as a worker does."""
    answer, folder = Path(arguments[0]), arguments[1]
    asked = TrialJob.from_json(json.load(sys.stdin))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # as a worker has it
    servers = ServerAccess.from_json(asked.servers)
    os.environ.update(server_environment(servers))

    def note(values: dict[str, Any]) -> None:
        with answer.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    hidden = hidden_modules(folder)
    rows = [tried(kind.family, asked.form, hidden, "function") for kind in asked.kinds]
    stages = filter(None, (asked.setup, asked.teardown))
    rows += [tried(text, asked.form, hidden, "stage") for text in stages]
    note({"rows": rows, "hidden": [hidden_sentence(name, file) for name, file in hidden.items()]})
    if asked.calls and all(result == "good" for result, _ in rows):
        job = _job(asked, servers)
        module = import_module(f"perf_pipeline.worker.runtime.{CALLERS[asked.form]}")
        try:
            caller = module.Caller(job)
        except BaseException as error:  # noqa: BLE001 such as a data file that has changed
            note({"begun": "opening the functions"})
            note({"raised": what_was_raised(error)})
        else:
            call_all(caller, job, note)
        end_process(0)
    return 0


def _job(asked: TrialJob, servers: ServerAccess) -> Job:
    return Job(
        kinds=asked.kinds,
        nodes="",
        seed=asked.seed,
        run_id="trial",
        level=0,
        servers=servers,
        setup=asked.setup,
        teardown=asked.teardown,
    )
