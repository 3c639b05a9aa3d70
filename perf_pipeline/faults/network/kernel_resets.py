"""How many connections the kernel has reset because a program closed them so."""

from __future__ import annotations

from pathlib import Path

_COUNTERS = ("TCPAbortOnData", "TCPAbortOnClose")
"""Closed with SO_LINGER of 0 s, and closed with data that nobody had read (tcp(7), netstat)."""


def aborted_connections(proc: Path = Path("/proc")) -> int:
    """Return the count of this network namespace since it began.

    Raises:
        OSError: The kernel does not show it.
        ValueError: It does not count them.
    """
    lines = (proc / "net/netstat").read_text(encoding="ascii").splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        if names.startswith("TcpExt:"):
            counts = dict(zip(names.split()[1:], map(int, values.split()[1:]), strict=True))
            if all(name in counts for name in _COUNTERS):
                return sum(counts[name] for name in _COUNTERS)
    raise ValueError(f"{proc}/net/netstat does not have {' and '.join(_COUNTERS)}")
