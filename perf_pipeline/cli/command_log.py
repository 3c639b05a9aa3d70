"""What commands log: begin, orders and end of a job, and of what starts or stops servers."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from perf_pipeline.logs.log import LOOSE_FOLDER, Log, LogContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.loadgen.checked_run import CheckedRun
    from perf_pipeline.program.failure_note import FailureNote


class JobLog:
    """The log of the command that watches a job.

    Its lines are held until the run has a folder; of a run that never has one they are with those
    of processes without a run.
    """

    def __init__(self, checked: CheckedRun) -> None:
        """Write nothing yet.

        Args:
            checked: What the job runs.
        """
        self._log = Log("command")
        self._checked = checked
        self._is_open = False
        self._was_ordered = False
        self._begun_ns = time.monotonic_ns()

    def began(self, job: str, pid: int) -> None:
        """Log that a process executes the job."""
        self._log.write("info", "job-began", f"the job {job} is executed by process {pid}")

    def look(self) -> None:
        """Write into the run's log from now on, if the run has begun."""
        results = self._checked.results_dir
        if self._is_open or results is None:
            return
        folder = results / self._checked.run_id
        if (folder / "run.json").exists():
            # Imported here: it reads the version of the package, which the begin need not wait for.
            from perf_pipeline.logs.run_log import run_log_context  # noqa: PLC0415

            self._open(run_log_context(folder, self._checked.scenario.name))

    def ordered(self, order: str) -> None:
        """Log that the process was asked to end."""
        self._was_ordered = True
        self._log.write("warning", "stop-ordered", f"the job was asked to end: {order}")

    def ended(self, code: int, failure: FailureNote | None) -> None:
        """Log how the process ended, and close.

        Args:
            code: Its exit code, negative for a signal.
            failure: What it noted of its failure.
        """
        is_expected = self._was_ordered or (failure is not None and failure.is_verdict)
        self._log.write(
            ("warning" if is_expected else "error") if code else "info",
            "job-ended",
            f"the job ended with {code}" + (f": {failure.text}" if failure else ""),
            outcome="failure" if code else "success",
            duration_ns=time.monotonic_ns() - self._begun_ns,
            exit_code=code,
        )
        self.look()
        if not self._is_open:
            names = {"run_id": self._checked.run_id, "scenario": self._checked.scenario.name}
            results = self._checked.results_dir
            self._open(LogContext(str(results / LOOSE_FOLDER) if results else "", labels=names))
        self._log.close()

    def _open(self, context: LogContext) -> None:
        self._is_open = True
        self._log.open(context)


@contextmanager
def logged_command(command: str, state_dir: Path) -> Iterator[Log]:
    """Log begin and end of a command that belongs to no run, and yield its log for more lines.

    Args:
        command: Such as ``start``.
        state_dir: Folder of the servers that it starts or stops.
    """
    with suppress(OSError):  # the log says that it has no file
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = Log(command).open(LogContext(folder=str(state_dir / LOOSE_FOLDER)))
    begun_ns = time.monotonic_ns()
    log.write("info", "command-began", f"perf-pipeline {command} begins")
    try:
        yield log
    except BaseException as error:
        text = f"perf-pipeline {command} failed: {error or type(error).__name__}"
        log.write("error", "command-ended", text, outcome="failure", error=error)
        raise
    else:
        text = f"perf-pipeline {command} succeeded"
        duration_ns = time.monotonic_ns() - begun_ns
        log.write("info", "command-ended", text, outcome="success", duration_ns=duration_ns)
    finally:
        log.close()
