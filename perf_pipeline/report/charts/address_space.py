"""Whether charts can be drawn here: the engine that draws them reserves a large address space.

Under a limit on it (``ulimit -v``, RLIMIT_AS) the engine ends its whole process, without an
exception that could be caught, so a process of its own tries first.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from functools import cache

_TRY_S = 60.0
_TRY = """
import vl_convert
mark = {"mark": "point", "data": {"values": [{"a": 1}]}, "encoding": {"x": {"field": "a"}}}
vl_convert.vegalite_to_svg(mark, allowed_base_urls=[])
"""


@cache
def why_not_drawn() -> str:
    """Return why this process cannot draw charts, in a sentence; empty if it can."""
    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit_bytes == resource.RLIM_INFINITY or _draws(limit_bytes - _used_bytes()):
        return ""
    return (
        f"charts are not drawn: this process may use {limit_bytes / 1e9:.3g} GB of address space "
        "(ulimit -v), and the engine that draws them reserves more; without that limit, "
        "`perf-pipeline report` draws them"
    )


def _draws(left_bytes: int) -> bool:
    """Try it in a process with as much address space as this one has left."""
    if left_bytes <= 0:
        return False
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({left_bytes},) * 2)"
    try:
        tried = subprocess.run(
            [sys.executable, "-I", "-c", f"{limited}\n{_TRY}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TRY_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def _used_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - one short read
        return int(file.read().split()[0]) * resource.getpagesize()
