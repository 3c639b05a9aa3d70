"""CPU time of the thread of the proxies' process that carries all data: its main one."""

from __future__ import annotations

from pathlib import Path


def main_thread_cpu_ns(pid: int) -> int | None:
    """Return the CPU time so far; None if the process has ended, or the kernel does not tell it.

    Args:
        pid: Of the process.
    """
    try:
        text = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii")
    except OSError:
        return None
    return int(text.split()[0])
