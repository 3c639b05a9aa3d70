"""What limits the stacks of many threads: address space, memory maps, and memory promised.

The kernel maps a stack of the size of ``ulimit -s`` for each thread, of which a workflow touches
little. So it is not memory that ends first, but what may be mapped.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

UNLIMITED_STACK_BYTES = 2 << 20
"""What glibc gives a thread where ``ulimit -s`` is unlimited (x86-64, ARM 64)."""

GUARD_BYTES = 4096
MAPS_A_THREAD = 2
"""Stack and guard page (counted: 1,000 threads had 2,002 more maps)."""

_HEURISTIC, _NEVER_TOO_MUCH = "0", "2"


@dataclass(frozen=True)
class StackLimits:
    """Limits on the stacks of the threads of a process; None where there is no such limit.

    Attributes:
        stack_bytes: Of one thread, by ``ulimit -s``.
        address_space_bytes: The smaller of RLIMIT_AS and RLIMIT_DATA (``ulimit -v``, ``-d``).
        maps_max: ``vm.max_map_count``, of one process.
        largest_bytes: Largest stack that the kernel grants: memory and swap of the machine, with
            ``vm.overcommit_memory`` = 0.
        commit_free_bytes: What may still be promised to all processes together, with
            ``vm.overcommit_memory`` = 2.
    """

    stack_bytes: int
    address_space_bytes: int | None = None
    maps_max: int | None = None
    largest_bytes: int | None = None
    commit_free_bytes: int | None = None


def read_stack_limits(proc: Path) -> StackLimits:
    """Read the limits of this process, which its worker processes inherit.

    Source:
        setrlimit(2), mmap(2), and Documentation/mm/overcommit-accounting.rst of the kernel.
    """
    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    spaces = [resource.getrlimit(one)[0] for one in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    mode = _text(proc / "sys/vm/overcommit_memory")
    maps = _text(proc / "sys/vm/max_map_count")
    memory = _meminfo(proc)
    largest = commit = None
    if mode == _HEURISTIC and "MemTotal" in memory:
        largest = memory["MemTotal"] + memory.get("SwapTotal", 0)
    if mode == _NEVER_TOO_MUCH and "CommitLimit" in memory:
        commit = max(memory["CommitLimit"] - memory.get("Committed_AS", 0), 0)
    return StackLimits(
        stack_bytes=UNLIMITED_STACK_BYTES if stack == resource.RLIM_INFINITY else stack,
        address_space_bytes=min((s for s in spaces if s != resource.RLIM_INFINITY), default=None),
        maps_max=int(maps) if maps.isdecimal() else None,
        largest_bytes=largest,
        commit_free_bytes=commit,
    )


def _meminfo(proc: Path) -> dict[str, int]:
    """Return the machine's memory, name to bytes; empty where the kernel does not tell."""
    words = (line.split() for line in _text(proc / "meminfo").splitlines())
    return {one[0].rstrip(":"): int(one[1]) * 1024 for one in words if one[-1:] == ["kB"]}


def _text(path: Path) -> str:
    """Return a kernel file's text; empty where this kernel has no such file."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
