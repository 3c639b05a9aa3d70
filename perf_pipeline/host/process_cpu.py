"""CPU time of a process to the nanosecond, and how long its threads waited for a core."""

from __future__ import annotations

import time
from pathlib import Path


def process_cpu_s(pid: int) -> float:
    """Return the CPU time that all threads of a process have used, ended ones included, s.

    /proc has it in steps of 10 ms.

    Raises:
        OSError: There is no such process.

    Source:
        clock_getcpuclockid(3): the clock of a process, ``MAKE_PROCESS_CPUCLOCK(pid, SCHED)``.
    """
    return time.clock_gettime((~pid << 3) | 2)


def core_wait_s(pid: int, proc: Path = Path("/proc")) -> float:
    """Return how long the threads of a process have been ready to run without a core, s.

    Args:
        pid: The process; threads of it that have ended are not counted.
        proc: Where the kernel tells of processes.
    """
    total_ns = 0
    for task in (proc / str(pid) / "task").iterdir():
        try:
            total_ns += int((task / "schedstat").read_bytes().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that has just ended
    return total_ns / 1e9
