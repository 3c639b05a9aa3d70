"""The short-lived process in which a scenario's own functions are tried (``runtime/trial.py``).

It has a worker's interpreter, folder, variables and home; everything that it started ends with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.lifeline import bound_command
from perf_pipeline.loadgen.environment.user_code import user_code_of
from perf_pipeline.loadgen.plan.level_job import kinds_of
from perf_pipeline.loadgen.supervise.last_words import last_words
from perf_pipeline.loadgen.supervise.left_behind import end_left_behind
from perf_pipeline.loadgen.supervise.worker_log import WorkerLog
from perf_pipeline.samples.record import cold_number
from perf_pipeline.worker.runtime.trial_job import TrialJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.targets.target import ServerAccess

IMPORT_S = 30.0
"""A module may load a model; what takes longer counts as not tried."""

CALL_S = 30.0
"""Likewise for a call."""

_LOG_TAIL = 400


@dataclass(frozen=True)
class TriedCall:
    """One call of the trial.

    Attributes:
        shown: ``shop:order(-1)``.
        raised: Class, text and place of what it raised; empty for nothing.
        took_s: How long it took.
        not_ended: Why it was not waited for; empty if it ended.
        ended_process: How it ended its process; empty if it did not.
    """

    shown: str
    raised: str = ""
    took_s: float = 0.0
    not_ended: str = ""
    ended_process: str = ""


@dataclass
class TrialAnswer:
    """Result and sentence of each import, the calls, and the sentences about hidden files."""

    functions: list[tuple[str, str]]
    calls: list[TriedCall] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


class TrialProcess:
    """A trial of the functions of a scenario on one target."""

    def __init__(
        self,
        scenario: Scenario,
        target: str,
        python: Path,
        access: ServerAccess,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            scenario: Has the setup, the teardown and the user's folder.
            target: Calls them.
            python: Its interpreter.
            access: The servers that they find in their environment.
        """
        self._scenario = scenario
        self._form = parse_target(target).name
        self._python = python
        self._functions = tuple(workload.family for workload in scenario.workloads)
        self._access = access
        self._user_code = user_code_of(scenario, os.environ)

    def announcement(self) -> str:
        """Return the line that says what is called, and where."""
        count = len(self._functions)
        numbered = [f"{one}({cold_number(at, 0, count)})" for at, one in enumerate(self._functions)]
        setup, teardown = (
            [f"{one}()"] if one else [] for one in (self._scenario.setup, self._scenario.teardown)
        )
        calls = ", ".join([*setup, *numbered, *teardown])
        return f"calls {calls} once in {self._user_code.folder or 'an empty folder'}"

    def run(self, *, calls: bool, import_s: float, call_s: float) -> TrialAnswer:
        """Import the functions, and call them if all can be imported; returns what was found."""
        scenario, form = self._scenario, self._form
        asked = TrialJob(
            form=form,  # type: ignore[arg-type] # only such targets take functions
            kinds=kinds_of(scenario, ()),
            setup=scenario.setup,
            teardown=scenario.teardown,
            servers=asdict(self._access),
            calls=calls,
            seed=scenario.seed,
        )
        with tempfile.TemporaryDirectory(prefix="perf_pipeline-") as home:  # as a worker has one
            answer, log = Path(home, "answer.json"), WorkerLog(Path(home, "log"))
            process = self._start(home, answer, log, asked)
            try:
                is_late = not _waited(process, answer, import_s, call_s)
            finally:
                _end(process, Path(home))
                log.close()
            text = log.path.read_text(encoding="utf-8", errors="replace")
            how = f"ended the process with exit code {process.returncode}"
            tail = last_words(text, _LOG_TAIL)
            ended = f"{how}: {tail}" if tail else how
            lines = list(_lines(answer))
        if not lines:
            late = f"its import took longer than {import_s:g} s"
            sentence = f"{', '.join(self._functions)}: importing them {ended}"
            count = len(self._functions) + bool(scenario.setup) + bool(scenario.teardown)
            return TrialAnswer([("late", late) if is_late else ("raised", sentence)] * count)
        unended = {"not_ended": f"it took longer than {call_s:g} s"}
        if not is_late:
            unended = {"ended_process": ended}
        rows = [(result, sentence) for result, sentence in lines[0]["rows"]]
        return TrialAnswer(rows, _calls(lines[1:], unended), lines[0]["hidden"])

    def _start(
        self, home: str, answer: Path, log: WorkerLog, asked: TrialJob
    ) -> subprocess.Popen[bytes]:
        """Start the process and hand it what is tried, which may hold passwords."""
        module, folder = "perf_pipeline.worker.runtime.trial", self._user_code.python_path or ""
        command = self._user_code.command(self._python, module, str(answer), folder)
        given = os.memfd_create("perf_pipeline-trial")
        try:
            os.write(given, json.dumps(asdict(asked)).encode())
            os.lseek(given, 0, os.SEEK_SET)
            return subprocess.Popen(
                bound_command(command, signal.SIGKILL, os.getpid()),
                cwd=self._user_code.folder or home,
                env=self._user_code.environment(home, os.environ),
                stdin=given,
                stdout=log.write_end,
                stderr=log.write_end,
                start_new_session=True,
            )
        finally:
            os.close(given)
            log.started()


def _waited(process: subprocess.Popen[bytes], answer: Path, import_s: float, call_s: float) -> bool:
    """Wait for the process; returns False if the imports, or a call, took too long."""
    limit_s = import_s
    while True:
        try:
            process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            if not answer.exists():
                return False
            # Written when a call begins and when it ends.
            limit_s = call_s - (time.time() - answer.stat().st_mtime)
            if limit_s <= 0:
                return False
        else:
            return True


def _lines(answer: Path) -> Iterator[dict[str, Any]]:
    """Yield the complete lines of the answer."""
    if not answer.exists():
        return
    for line in answer.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _calls(lines: list[dict[str, Any]], unended: dict[str, str]) -> list[TriedCall]:
    """Return the calls; ``unended`` is what to say of one that did not end."""
    calls = []
    for at, line in enumerate(lines):
        if "begun" not in line:
            continue
        ended = lines[at + 1] if at + 1 < len(lines) else unended
        calls.append(TriedCall(line["begun"], **ended))
    return calls


def _end(process: subprocess.Popen[bytes], home: Path) -> None:
    """End the process and what it started, however the wait for it ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    end_left_behind(home)
