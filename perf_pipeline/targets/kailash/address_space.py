"""Keeps kailash releases before 2.63 from limiting the address space of the worker process.

Their first PythonCodeNode sets RLIMIT_AS to 512 MB, soft and hard. A worker with 1000 threads needs
more for its stacks alone, and releases would be compared by how soon they run out of it. So the
limit is switched off, which is recorded in the journal.
Later releases bound what one block of code adds and undo the limit; they are left as they are.
"""

from __future__ import annotations

from kailash import security

REMARK = (
    "kailash {version} would limit the address space of the worker process to 512 MB for good; "
    "the limit is switched off, as for every release before 2.63"
)


def keep_address_space(version: str) -> tuple[str, ...]:
    """Switch off the limit of a release that limits the address space of its process for good.

    Called before any workflow is built. In these releases the option that is set here does
    nothing else.

    Args:
        version: The release, for the text.

    Returns:
        What was done, as text; empty for a release that needs nothing.
    """
    if hasattr(security, "memory_limit_guard"):  # it takes its limit back
        return ()
    security.get_security_config().memory_limit = 0
    return (REMARK.format(version=version),)
