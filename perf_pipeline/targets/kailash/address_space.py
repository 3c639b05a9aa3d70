"""Releases before 2.63 limit the address space of the whole process for good; here they do not.

Their first PythonCodeNode sets RLIMIT_AS to 512 MB, soft and hard. A worker with 1000 threads needs
more for its stacks alone, and releases would be compared by how soon they run out of it. So that
one call is left out, which the run's manifest says (reference/kailash.md, sections 9 and 11).
"""

from __future__ import annotations

import re
import resource
from typing import Any

FIRST_WITHOUT = (2, 63)

REMARK = (
    "kailash {version} would limit the address space of the worker to 512 MB for good; it is kept "
    "from doing so, as it is in every release before 2.63"
)


def keep_address_space(version: str) -> tuple[str, ...]:
    """Keep a release before 2.63 from limiting the address space of this process.

    Args:
        version: The release.

    Returns:
        What was done, in words; empty for a release that needs nothing.
    """
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers >= FIRST_WITHOUT:
        return ()
    original = resource.setrlimit

    def setrlimit(which: int, limits: Any) -> None:
        if which != resource.RLIMIT_AS:
            original(which, limits)

    resource.setrlimit = setrlimit
    return (REMARK.format(version=version),)
