"""CPU time of a process to the nanosecond; /proc has it in steps of 10 ms."""

from __future__ import annotations

import time


def process_cpu_s(pid: int) -> float:
    """Return the CPU time that all threads of a process have used, ended ones included, s.

    Raises:
        OSError: There is no such process.

    Source:
        clock_getcpuclockid(3): the clock of a process, ``MAKE_PROCESS_CPUCLOCK(pid, SCHED)``.
    """
    return time.clock_gettime((~pid << 3) | 2)
