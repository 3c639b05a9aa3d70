"""The variables of the user's session that libpq reads: kept from every connection of ours.

They act once, where a URL of the user's is completed (``address``). A worker process has none of
them, so a session of the harness must not have them either: PGSSLMODE or PGHOSTADDR of a profile
would lead it to another server than the workers, and a PGSERVICE or PGTZ that one server does not
know would keep it from every other.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "PG"
_CHANGING = threading.RLock()
"""libpq reads this process's own environment, so one thread at a time may change it."""


@contextmanager
def without_session_variables() -> Iterator[None]:
    """Hide libpq's variables from this process for the block."""
    with _CHANGING:
        hidden = {name: os.environ.pop(name) for name in list(os.environ) if _is_libpqs(name)}
        try:
            yield
        finally:
            os.environ.update(hidden)


@contextmanager
def with_service(name: str | None) -> Iterator[None]:
    """Let libpq take a service of the user's service file for the block; None for PGSERVICE's."""
    with _CHANGING:
        before = os.environ.get("PGSERVICE")
        try:
            if name is not None:
                os.environ["PGSERVICE"] = name
            yield
        finally:
            if before is not None:
                os.environ["PGSERVICE"] = before
            elif name is not None:
                del os.environ["PGSERVICE"]


def _is_libpqs(name: str) -> bool:
    return name.startswith(_PREFIX) and name[len(_PREFIX) :].isupper()
