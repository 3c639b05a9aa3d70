"""The Dagster job in a child process, as the command line watches it.

The child has a session of its own, so that Ctrl-C reaches this process alone, which then stops
the child in order; and it is bound to this process, so that it stops too if this one is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.builtin import find_scenario, list_scenarios
from perf_pipeline.lifeline import bound_command
from perf_pipeline.run import PROJECT, SAY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.overrides import Overrides
    from perf_pipeline.samples.run_folder import RunFolder

POLL_S = 0.2
TELL_EVERY_S = 5.0
STOP_GRACE_S = 12.0
LOG_TAIL_LINES = 25


class DagsterChild:
    """One ``dagster job execute`` and what it tells."""

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
        self._read_log = 0
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
        self._log = ""

    def run(self) -> bool:
        """Run the job to its end; returns whether it was interrupted from here."""
        with tempfile.TemporaryDirectory(prefix="perf_pipeline-run-") as scratch:
            config, log = Path(scratch) / "config.json", Path(scratch) / "dagster.log"
            config.write_text(json.dumps(self._config, default=list), encoding="utf-8")
            with log.open("wb") as file:
                process = subprocess.Popen(
                    bound_command(self._command(config), signal.SIGTERM, os.getpid()),
                    cwd=PROJECT,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                )
            try:
                return self._watch(process, log)
            finally:
                _stop(process)
                self._log = log.read_text(encoding="utf-8", errors="replace")

    def log_tail(self) -> str:
        """Return the last lines of what Dagster printed, for when there is nothing else."""
        return "\n".join(self._log.splitlines()[-LOG_TAIL_LINES:])

    def _command(self, config: Path) -> list[str]:
        execute = ["job", "execute", "-m", "assets.definitions", "-j", self._job]
        return [sys.executable, "-m", "dagster", *execute, "-c", str(config)]

    def _watch(self, process: subprocess.Popen[bytes], log: Path) -> bool:
        interrupted = False
        previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            while process.poll() is None:
                try:
                    self._tell_news(log)
                    time.sleep(POLL_S)
                except KeyboardInterrupt:
                    interrupted = True
                    self._tell("interrupted: stopping load and servers, keeping what was measured")
                    _stop(process)
            self._tell_news(log)
        finally:
            signal.signal(signal.SIGTERM, previous)
        return interrupted

    def _tell_news(self, log: Path) -> None:
        with log.open("rb") as file:
            file.seek(self._read_log)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_log += len(line)
                text = line.decode(errors="replace").rstrip()
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
