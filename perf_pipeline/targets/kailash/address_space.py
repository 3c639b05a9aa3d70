"""Releases before 2.63 limit the address space of the whole process for good; here they do not.

Their first PythonCodeNode sets RLIMIT_AS to 512 MB, soft and hard. A worker with 1000 threads needs
more for its stacks alone, and releases would be compared by how soon they run out of it. So kailash
is told to have no such limit, which the journal's facts say (reference/kailash.md, sections 9 and
11). Later releases bound what one block of code adds and take the limit back; they are left alone.
"""

from __future__ import annotations

from kailash import security

REMARK = (
    "kailash {version} would limit the address space of the worker to 512 MB for good; it is kept "
    "from doing so, as every release before 2.63 is"
)


def keep_address_space(version: str) -> tuple[str, ...]:
    """Keep a release that limits the address space of its process for good from doing so.

    Called before any workflow is built. In these releases the option that is set here does
    nothing else.

    Args:
        version: The release, for the remark.

    Returns:
        What was done, in words; empty for a release that needs nothing.
    """
    if hasattr(security, "memory_limit_guard"):  # it takes its limit back
        return ()
    security.get_security_config().memory_limit = 0
    return (REMARK.format(version=version),)
