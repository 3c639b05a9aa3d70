"""The Dagster job in a child process, as the command line watches it.

The child has a session of its own, so that Ctrl-C reaches this process alone, which then stops
the child in order; and it is bound to this process, so that it stops too if this one is killed.
Configuration and log are files without a name, so that nothing is left of them whoever dies.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from perf_pipeline.config.builtin import find_scenario, list_scenarios
from perf_pipeline.lifeline import bound_command
from perf_pipeline.run import PROJECT, SAY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.config.overrides import Overrides
    from perf_pipeline.samples.run_folder import RunFolder

POLL_S = 0.2
TELL_EVERY_S = 5.0
STOP_GRACE_S = 12.0
LOG_TAIL_LINES = 25


class DagsterChild:
    """One ``dagster job execute`` and what it tells.

    Attributes:
        end: How it ended, if not well: for people.
    """

    def __init__(
        self,
        scenario: str,
        overrides: Overrides,
        folder: RunFolder,
        tell: Callable[[str], None],
    ) -> None:
        """Prepare; nothing is started.

        Args:
            scenario: Name or file, checked.
            overrides: Flags, checked.
            folder: The folder that the run will make.
            tell: Told what people should see.
        """
        self._folder = folder
        self._tell = tell
        self._unread = b""
        self._read_bytes = 0
        self._told_at_s = 0.0
        self._phase = ("", "")
        self._progress: dict[str, Any] | None = None
        builtin = scenario in list_scenarios()
        self._job = scenario if scenario == "baseline" else "scenario"
        flags = {k: v for k, v in asdict(overrides).items() if v is not None}
        config: dict[str, Any] = {
            "scenario": scenario if builtin else str(find_scenario(scenario).resolve()),
            "run_id": folder.run_id,
            "results_dir": str(folder.root.parent),
            **flags,
        }
        self._config = {"resources": {"load_run_resource": {"config": config}}}
        self._log: list[str] = []
        self.end: str | None = None

    def run(self, noted: list[signal.Signals]) -> None:
        """Run the job to its end, or until a signal has been noted and it was stopped."""
        with tempfile.TemporaryFile() as config, tempfile.TemporaryFile() as log:
            config.write(json.dumps(self._config, default=list).encode())
            config.flush()
            process = subprocess.Popen(
                bound_command(self._command(config.fileno()), signal.SIGTERM, os.getpid()),
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[config.fileno()],
                start_new_session=True,
            )
            try:
                self._watch(process, log, noted)
            finally:
                _stop(process)
            if process.returncode:
                self.end = _how_it_ended(process.returncode)

    def log_tail(self) -> str:
        """Return the last lines of what Dagster printed, for when there is nothing else."""
        return "\n".join(self._log[-LOG_TAIL_LINES:])

    def _command(self, config: int) -> list[str]:
        execute = ["job", "execute", "-m", "assets.definitions", "-j", self._job]
        return [sys.executable, "-m", "dagster", *execute, "-c", f"/proc/self/fd/{config}"]

    def _watch(
        self, process: subprocess.Popen[bytes], log: IO[bytes], noted: list[signal.Signals]
    ) -> None:
        while process.poll() is None:
            self._tell_news(log)
            if noted:
                self._tell("interrupted: stopping load and servers, keeping what was measured")
                _stop(process)
            else:
                time.sleep(POLL_S)
        self._tell_news(log)

    def _tell_news(self, log: IO[bytes]) -> None:
        # pread: the child writes through a copy of this descriptor, so its position is the child's.
        while new := os.pread(log.fileno(), 1 << 20, self._read_bytes):
            self._read_bytes += len(new)
            *lines, self._unread = (self._unread + new).split(b"\n")
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                self._log.append(text)
                if text.startswith(SAY_PREFIX):
                    self._tell(text.removeprefix(SAY_PREFIX))
        progress = self._latest_progress()
        if progress is None or progress == self._progress:
            return
        self._progress = progress
        phase = (progress["label"], progress["phase"])
        if phase != self._phase or time.monotonic() - self._told_at_s >= TELL_EVERY_S:
            self._phase, self._told_at_s = phase, time.monotonic()
            self._tell(progress_line(progress))

    def _latest_progress(self) -> dict[str, Any] | None:
        """Return the newest whole line of the run's progress, if there is any."""
        try:
            with (self._folder.root / "progress.jsonl").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1000))
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return None
        if len(lines) < 2:  # noqa: PLR2004 one line and what follows its end
            return None
        progress: dict[str, Any] = json.loads(lines[-2])
        return progress


def progress_line(progress: dict[str, Any]) -> str:
    """Return one line about where a level stands."""
    totals = progress["totals"]
    return (
        f"  {progress['label']:>8} {progress['phase']:8} {progress['elapsed_s']:6.1f} s  "
        f"done {totals['ended']:7}  in flight {totals['started'] - totals['ended']:5}  "
        f"{progress['rate_per_s']:8.1f}/s  failed {totals['failed']}"
    )


@contextmanager
def signals_noted() -> Iterator[list[signal.Signals]]:
    """Note Ctrl-C and SIGTERM for the block instead of ending; yields those that came.

    An exception could come between any two statements, and ``timeout -s INT`` sends the signal
    twice. A shell script starts its background commands with Ctrl-C ignored, and what is ignored
    stays so in children: with a handler here, the child starts with the default and can be
    stopped.
    """
    noted: list[signal.Signals] = []
    watched = (signal.SIGINT, signal.SIGTERM)
    previous = [
        signal.signal(one, lambda number, _frame: noted.append(signal.Signals(number)))
        for one in watched
    ]
    try:
        yield noted
    finally:
        for one, handler in zip(watched, previous, strict=True):
            signal.signal(one, handler)


def _how_it_ended(code: int) -> str:
    """Say how the child ended, from an exit code that is not 0."""
    if code > 0:
        return f"the Dagster run failed (exit code {code})"
    return f"the Dagster run's process was ended by {signal.Signals(-code).name}"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the child in order: SIGINT, which Dagster turns into a clean end, then harder."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(name)
        try:
            process.wait(timeout=STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            continue
