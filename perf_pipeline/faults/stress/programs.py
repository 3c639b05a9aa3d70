"""Starts programs that use something up, finds them again, and ends them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.lifeline import bound_command

if TYPE_CHECKING:
    from types import ModuleType

_RUN = (
    "import sys; sys.path.insert(0, sys.argv[1]); from importlib import import_module; "
    "program = import_module(sys.argv[2]); print(flush=True); program.main(sys.argv[4:], sys.stdin)"
)
_READY_S = 5.0
_END_S = 5.0


class Programs:
    """The programs of one failure; they die with this process.

    The kernel ends a program when the thread that started it ends, so ``prepare`` is called by a
    thread that lives as long as the failure.
    """

    def __init__(self, mark: Path) -> None:
        """Prepare; nothing is started.

        Args:
            mark: An argument by which the programs are found in the list of processes: the
                failure's own folder.
        """
        self._mark = str(mark)
        self._children: list[subprocess.Popen[bytes]] = []
        self._has_begun = False

    def prepare(self, module: ModuleType, *arguments: object) -> None:
        """Have the ``main`` of a module ready in an interpreter of its own.

        It gets the arguments, and a pipe: it begins with the line that comes, and ends if the pipe
        does without one.
        """
        words = [str(PROJECT.resolve()), module.__name__, self._mark, *map(str, arguments)]
        command = [sys.executable, "-I", "-c", _RUN, *words]
        self._children.append(
            subprocess.Popen(
                bound_command(command, signal.SIGKILL, os.getpid()),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C concerns the run, which ends them in its order
            )
        )

    def wait_until_ready(self) -> None:
        """Wait until they wait: an interpreter that starts uses a core as well."""
        deadline_s = time.monotonic() + _READY_S
        for child in self._children:
            assert child.stdout is not None
            left_s = max(0.0, deadline_s - time.monotonic())
            select.select([child.stdout], [], [], left_s)

    def begin(self) -> None:
        """Have all of them do what they are for."""
        self._has_begun = True
        for child in self._children:
            assert child.stdin is not None
            child.stdin.write(b"\n")

    def at_work(self) -> int:
        """Return how many processes have our mark, without those that were told to wait."""
        waiting = {child.pid for child in self._children} if not self._has_begun else set()
        return len(set(self.running()) - waiting)

    def running(self, proc: Path = Path("/proc")) -> list[int]:
        """Return the processes that have our mark, whoever started them."""
        pids = (int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal())
        return sorted(pid for pid in pids if self._has_mark(proc / str(pid)))

    def own(self, proc: Path = Path("/proc")) -> list[int]:
        """Return those that this object has started and that run, without a look at all others."""
        pids = (child.pid for child in self._children)
        return sorted(pid for pid in pids if self._has_mark(proc / str(pid)))

    def end(self) -> None:
        """End them, and wait for it."""
        for child in self._children:
            child.kill()
        while self._children:
            child = self._children.pop()
            for pipe in (child.stdin, child.stdout):
                assert pipe is not None
                pipe.close()
            child.wait(_END_S)
        self._has_begun = False

    def _has_mark(self, process: Path) -> bool:
        try:
            line = (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False
        return b"\0" + self._mark.encode() + b"\0" in line and _RUN.encode() in line
