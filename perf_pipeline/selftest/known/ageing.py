"""A target that leaks and slows down with its age: it keeps what each workflow made.

Each workflow searches all that is kept, so its time grows with the count of those before it.
"""

from __future__ import annotations

KEPT_BYTES = 600
"""More than the interpreter's own arenas hand out: malloc gives it, and sees the leak as well."""
_KEPT: list[bytes] = []


def keep_and_search(number: int) -> None:
    """Keep a text for good, after a search for it among all that is kept.

    Raises:
        RuntimeError: It is there already: the workflow was executed twice.
    """
    made = str(number).encode().rjust(KEPT_BYTES)
    if any(each == made for each in _KEPT):
        raise RuntimeError(f"workflow {number} was executed before")
    _KEPT.append(made)
