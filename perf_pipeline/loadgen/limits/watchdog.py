"""Holds a worker below its share from outside, where no control group can be made.

Memory: its resident set is read every 50 ms, and above the share the worker is ended. Between
two readings it may be above. CPU: a token bucket of one period; a worker that has used up its
share is stopped (SIGSTOP) until the share has grown again. A stopped worker never outlives us:
it dies with its supervisor (``lifeline.bind_to_parent``), stopped or not.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PERIOD_S = 0.1
CPU_EVERY_S = 0.01
MEMORY_EVERY_S = 0.05
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Watchdog:
    """Watches one worker in a thread of its own."""

    def __init__(
        self,
        share_bytes: int | None,
        share_cores: float | None,
        kill: Callable[[str], None],
    ) -> None:
        """Prepare; nothing is watched yet.

        Args:
            share_bytes: Resident memory above which the worker is ended; None for no limit.
            share_cores: CPU seconds a second that it may use; None for no limit.
            kill: Ends the worker at once, given the reason.
        """
        held = ["resident memory" if share_bytes is not None else ""]
        held += ["CPU by stopping the process" if share_cores is not None else ""]
        self.mechanism = f"watchdog ({', '.join(filter(None, held))})"
        self._share_bytes = share_bytes
        self._share_cores = share_cores
        self._kill = kill
        self._ended = threading.Event()
        self._reason: str | None = None
        self._thread: threading.Thread | None = None

    def hold(self, pid: int) -> None:
        """Watch ``pid`` until ``release``."""
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def reason(self) -> str | None:
        """Say why the worker was ended; None if it was not."""
        return self._reason

    def release(self) -> None:
        """Stop watching."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, pid: int) -> None:
        every_s = MEMORY_EVERY_S if self._share_cores is None else CPU_EVERY_S
        bucket = CpuBucket(self._share_cores or 0.0)
        stopped = False
        memory_due_s = 0.0
        while not self._ended.wait(every_s):
            now_s = time.monotonic()
            try:
                if self._share_bytes is not None and now_s >= memory_due_s:
                    memory_due_s = now_s + MEMORY_EVERY_S
                    if self._above_memory(pid):
                        return
                if self._share_cores is not None:
                    over = bucket.is_empty(now_s, cpu_s_of(pid))
                    if over != stopped:
                        os.kill(pid, signal.SIGSTOP if over else signal.SIGCONT)
                        stopped = over
            except (FileNotFoundError, ProcessLookupError):
                return  # it has ended

    def _above_memory(self, pid: int) -> bool:
        resident_bytes = resident_bytes_of(pid)
        if self._share_bytes is None or resident_bytes <= self._share_bytes:
            return False
        self._reason = (
            f"memory limit: {resident_bytes / 1e6:.0f} MB resident, "
            f"share of the limit {self._share_bytes / 1e6:.0f} MB"
        )
        self._kill(self._reason)
        return True


class CpuBucket:
    """CPU time that may be used: grows by the share, and holds one period's worth at most."""

    def __init__(self, share_cores: float) -> None:
        """Begin with nothing saved up."""
        self._share_cores = share_cores
        self._saved_s = 0.0
        self._seen: tuple[float, float] | None = None

    def is_empty(self, now_s: float, cpu_s: float) -> bool:
        """Return whether more was used than there was.

        Args:
            now_s: CLOCK_MONOTONIC.
            cpu_s: CPU time used by the process since its start.
        """
        if self._seen is not None:
            grown_s = self._share_cores * (now_s - self._seen[0]) - (cpu_s - self._seen[1])
            self._saved_s = min(self._saved_s + grown_s, self._share_cores * PERIOD_S)
        self._seen = (now_s, cpu_s)
        return self._saved_s < 0


def cpu_s_of(pid: int) -> float:
    """Return the CPU time that a process has used, s, in steps of a clock tick (10 ms).

    Raises:
        FileNotFoundError: It has ended.
    """
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def resident_bytes_of(pid: int) -> int:
    """Return the resident set of a process, bytes; 0 for one that has ended and is not reaped.

    Raises:
        FileNotFoundError: It has ended.
    """
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
