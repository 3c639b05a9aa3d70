"""A process that a user's function forked, and that comes back from the function.

It has a copy of the worker's slot, records and journal. If it went on as a worker, it would stamp
and store what the worker itself does, so it ends where the function ends.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn

COPIES: list[int] = []
"""Process id of this process, if it was forked off the one that imported this."""

os.register_at_fork(after_in_child=lambda: COPIES.append(os.getpid()))


def end_copy(error: BaseException | None) -> NoReturn:
    """End this process with the exit code that an uncaught exception means."""
    code = 0
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        traceback.print_exception(error)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
