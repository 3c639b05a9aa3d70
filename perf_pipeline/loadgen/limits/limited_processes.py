"""A limited worker with the processes that it has started: what they use, and how they are stopped.

Finding children means reading all processes of the machine (some 15 us each), so it is done four
times a second; those that are known are read as often as the limit needs. The CPU time of one that
ends before it is found counts when its parent has waited for it.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.host.target_processes import TICKS_PER_S, read_process, target_processes

if TYPE_CHECKING:
    from collections.abc import Callable

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class LimitedProcesses:
    """One worker with everything below it, as of the last ``find``."""

    def __init__(self, worker: int, supervisor: int) -> None:
        """Know the worker alone.

        Args:
            worker: Its process id.
            supervisor: The process that started its keeper.

        Raises:
            ProcessLookupError: The worker has ended.
        """
        self._worker = worker
        self._supervisor = supervisor
        self._keeper: int | None = None
        # A descriptor of the process itself: its id may be another's by the time it is stopped.
        self._descriptors = {worker: os.pidfd_open(worker)}
        self._is_stopped = False

    @property
    def children(self) -> int:
        """How many processes the worker has started that were alive at the last ``find``."""
        return len(self._descriptors) - 1

    def find(self) -> None:
        """Find what the worker has started; while it is stopped, these are stopped as well.

        Raises:
            ProcessLookupError: The worker has ended.
        """
        found = target_processes([self._worker], self._supervisor).get(self._worker)
        if found is None:
            raise ProcessLookupError(f"worker process {self._worker} has ended")
        self._keeper = found.keeper
        for pid in self._descriptors.keys() - found.children.keys() - {self._worker}:
            os.close(self._descriptors.pop(pid))
        for pid in found.children:
            if pid not in self._descriptors:
                with suppress(ProcessLookupError):
                    self._descriptors[pid] = os.pidfd_open(pid)
                    if self._is_stopped:
                        self._send(pid, signal.SIGSTOP)

    def cpu_s(self) -> float:
        """Return the CPU time of all, and of those that have ended and were waited for, s.

        Children are read before those who wait for them: one that ends meanwhile counts twice in
        this reading, rather than not at all. Steps are of a clock tick (10 ms).

        Raises:
            FileNotFoundError: The worker has ended.
        """
        used_s = self._sum(_cpu_s)
        if self._keeper is not None:
            with suppress(FileNotFoundError, ProcessLookupError):
                used_s += read_process(self._keeper).waited_ticks / TICKS_PER_S
        return used_s

    def memory_bytes(self, limit_bytes: int) -> float:
        """Return the memory of all; exactly where it may be above the limit.

        The sum of the resident sets counts what processes share once in each, and forked ones
        share nearly all; it takes microseconds. Only where it is above the limit, the proportional
        sets are read, of which each has its part of what is shared.

        Raises:
            FileNotFoundError: The worker has ended.
        """
        resident = self._sum(_resident_bytes)
        if resident <= limit_bytes or not self.children:
            return resident
        return self._sum(_proportional_bytes)

    def stop(self) -> None:
        """Stop all of them."""
        self._is_stopped = True
        for pid in self._descriptors:
            self._send(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let all of them go on."""
        self._is_stopped = False
        for pid in self._descriptors:
            self._send(pid, signal.SIGCONT)

    def close(self) -> None:
        """Let them go on, if they are stopped, and forget them."""
        if self._is_stopped:
            self.go_on()
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()

    def _sum(self, value_of: Callable[[int], float]) -> float:
        total = 0.0
        for pid in reversed(self._descriptors):
            try:
                total += value_of(pid)
            except (FileNotFoundError, ProcessLookupError):
                if pid == self._worker:
                    raise
        return total

    def _send(self, pid: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # it has become another user's
            signal.pidfd_send_signal(self._descriptors[pid], number)


def _cpu_s(pid: int) -> float:
    process = read_process(pid)
    return (process.own_ticks + process.waited_ticks) / TICKS_PER_S


def _resident_bytes(pid: int) -> int:
    """Return the resident set; 0 of a process that has ended and is not reaped."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES


def _proportional_bytes(pid: int) -> int:
    """Return the proportional set; the resident one where it is another user's to know."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace")
    except PermissionError:
        return _resident_bytes(pid)
    found = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return int(found[0]) * 1024 if found else 0
