"""Processes that loop around kailash as workers do, and record nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from array import array
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.lifeline import bound_command
from perf_pipeline.run import PROJECT

if TYPE_CHECKING:
    from types import TracebackType

    from perf_pipeline.targets.target import Job

_SCRIPT = Path(__file__).with_name("bare_worker.py")


class BareLoop:
    """The bare loop in as many processes and threads as a level. A context manager.

    Attributes:
        pids: Its processes.
    """

    def __init__(
        self, job: Job, python: Path, folder: Path, *, concurrency: int, processes: int
    ) -> None:
        """Start it and wait until every process has executed each kind once.

        Args:
            job: What the target has to execute.
            python: The target's interpreter.
            folder: Where its files go, empty.
            concurrency: Threads of all processes together.
            processes: How many.
        """
        path = folder / "job.json"
        asked = {
            "parent_pid": os.getpid(), "worker": 0, "workers": processes, "target": "kailash",
            "mode": "threads", "kinds": "", "ramp": "", "journal": "", "slots": "",
            "deadline_ns": 0, "job": asdict(job),
        }  # fmt: skip
        path.write_text(json.dumps(asked), encoding="utf-8")
        environment = {
            "HOME": str(folder), "LANG": "C.UTF-8", "PATH": os.defpath, "PYTHONPATH": str(PROJECT)
        }  # fmt: skip
        self._counts: list[Path] = []
        self._processes: list[subprocess.Popen[str]] = []
        with ExitStack() as started:
            started.callback(self._kill)
            for worker in range(processes):
                threads = len(range(worker, concurrency, processes))
                counts = folder / f"counts-{worker}"
                counts.write_bytes(bytes(8 * threads))
                self._counts.append(counts)
                command = [str(python), "-P", str(_SCRIPT), str(path), str(counts)]
                command += [str(threads), str(worker), str(processes)]
                self._processes.append(
                    subprocess.Popen(
                        bound_command(command, signal.SIGKILL, os.getpid()),
                        env=environment,
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        text=True,
                    )
                )
            for process in self._processes:
                said = process.stdout.readline().strip() if process.stdout else ""
                if said != "ready":
                    raise PerfPipelineError(f"a bare loop did not start: {said or 'it ended'}")
            started.pop_all()
        self.pids = [process.pid for process in self._processes]

    def go(self) -> None:
        """Let it loop."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()

    def ended(self) -> int:
        """Return how many workflows have ended so far."""
        return sum(sum(array("q", path.read_bytes())) for path in self._counts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill it."""
        self._kill()

    def _kill(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()
