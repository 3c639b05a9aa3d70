"""Starts programs that use something up, finds them again, and ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.lifeline import bound_command

if TYPE_CHECKING:
    from types import ModuleType

_RUN = (
    "import sys; sys.path.insert(0, sys.argv[1]); from importlib import import_module; "
    "import_module(sys.argv[2]).main(sys.argv[4:], sys.stdin)"
)
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
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C concerns the run, which ends them in its order
            )
        )

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
        mark = b"\0" + self._mark.encode() + b"\0"
        found = []
        for entry in proc.iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                line = (entry / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if mark in line and _RUN.encode() in line:
                found.append(int(entry.name))
        return sorted(found)

    def end(self) -> None:
        """End them, and wait for it."""
        for child in self._children:
            child.kill()
        while self._children:
            child = self._children.pop()
            assert child.stdin is not None
            child.stdin.close()
            child.wait(_END_S)
        self._has_begun = False
