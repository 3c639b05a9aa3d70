"""Limits a worker process from outside, where no control group can be made.

A worker and what it has started are limited together. Memory: the resident sets are read every
50 ms, and a worker above its share is killed, with which all of them end. Between two readings it
may be above. CPU: a token bucket of one period; a worker that has used up its share is stopped
(SIGSTOP), with all of them, until the bucket has filled again. A stopped worker never outlives the
supervisor, because the kernel kills it with its parent (``lifeline.bind_to_parent``). It is not
stopped before it is ready, which is when it has bound itself.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Protocol

from perf_pipeline.loadgen.limits.control_group import memory_reason
from perf_pipeline.loadgen.limits.limited_processes import LimitedProcesses

PERIOD_S = 0.1
CPU_EVERY_S = 0.01
MEMORY_EVERY_S = 0.05
FIND_EVERY_S = 0.25
"""How often what the worker has started is looked for."""


class Watched(Protocol):
    """What the watchdog needs of a worker process."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def ready(self) -> bool:
        """True once the kernel kills it with its supervisor."""

    def end_at_once(self, because: str) -> None:
        """Kill it; ``because`` becomes the reason of its end."""


class Watchdog:
    """Watches one worker in a separate thread."""

    def __init__(self, share_bytes: int | None, share_cores: float | None) -> None:
        """Prepare; nothing is watched yet.

        Args:
            share_bytes: Resident memory above which the worker is ended; None for no limit.
            share_cores: CPU seconds a second that it may use; None for no limit.
        """
        self._share_bytes = share_bytes
        self._share_cores = share_cores
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed_readings = 0

    @property
    def mechanism(self) -> str:
        """What is limited and how, for people."""
        limited = ["resident memory"] if self._share_bytes is not None else []
        limited += ["CPU by stopping the process"] if self._share_cores is not None else []
        failed = f"; {self._failed_readings} readings failed" if self._failed_readings else ""
        return f"watchdog ({', '.join(limited)}{failed})"

    def watch(self, worker: Watched) -> None:
        """Watch ``worker`` until ``release``, or until it has ended."""
        self._thread = threading.Thread(target=self._run, args=(worker,), daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Stop watching."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, worker: Watched) -> None:
        try:
            processes = LimitedProcesses(worker.pid, os.getpid())
        except ProcessLookupError:
            return  # it has ended
        try:
            self._hold(worker, processes)
        except (FileNotFoundError, ProcessLookupError):
            return  # likewise
        finally:
            processes.close()

    def _hold(self, worker: Watched, processes: LimitedProcesses) -> None:
        every_s = MEMORY_EVERY_S if self._share_cores is None else CPU_EVERY_S
        bucket = CpuBucket(self._share_cores or 0.0)
        stopped, memory_due_s, find_due_s = False, 0.0, 0.0
        while not self._ended.wait(every_s):
            now_s = time.monotonic()
            try:
                if now_s >= find_due_s:
                    find_due_s = now_s + FIND_EVERY_S
                    processes.find()
                if self._share_bytes is not None and now_s >= memory_due_s:
                    memory_due_s = now_s + MEMORY_EVERY_S
                    self._end_above(worker, processes, self._share_bytes)
                used_up = bucket.is_empty(now_s, processes.cpu_s())
            except (FileNotFoundError, ProcessLookupError):
                raise
            except OSError:  # no descriptor left to read with: the next time, perhaps
                self._failed_readings += 1
                continue
            used_up = used_up and self._share_cores is not None and worker.ready
            if used_up != stopped:
                processes.stop() if used_up else processes.go_on()
                stopped = used_up

    def _end_above(self, worker: Watched, processes: LimitedProcesses, share_bytes: int) -> None:
        used_bytes = processes.memory_bytes(share_bytes)
        if used_bytes > share_bytes:
            worker.end_at_once(memory_reason(used_bytes, share_bytes, processes.children))


class CpuBucket:
    """A token bucket of CPU time: it fills at the share, up to one period's worth."""

    def __init__(self, share_cores: float) -> None:
        """Begin with an empty bucket."""
        self._share_cores = share_cores
        self._saved_s = 0.0
        self._latest: tuple[float, float] | None = None

    def is_empty(self, now_s: float, cpu_s: float) -> bool:
        """Return whether more CPU time was used than the bucket contained.

        Args:
            now_s: CLOCK_MONOTONIC.
            cpu_s: CPU time used by the process since its start.
        """
        if self._latest is not None:
            grown_s = self._share_cores * (now_s - self._latest[0]) - (cpu_s - self._latest[1])
            self._saved_s = min(self._saved_s + grown_s, self._share_cores * PERIOD_S)
        self._latest = (now_s, cpu_s)
        return self._saved_s < 0
