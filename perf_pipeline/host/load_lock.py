"""One load run at a time on a host: two would measure each other.

A lock of the kernel on one file: it ends with the process that holds it, however that ends, so
it can never be left behind. The file's text names the holder, for the runs that wait.
"""

from __future__ import annotations

import errno
import fcntl
import math
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.config.duration import duration_text
from perf_pipeline.config.wording import printable
from perf_pipeline.errors import GaveUpWaitingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLL_S = 0.5
NOTIFY_EVERY_S = 30.0
WAITING = "waiting for another load run"
"""Begins every line that is printed during the wait; the live view recognises it."""
GAVE_UP = "gave up waiting"
"""Begins the line of a run that ended for this; its parent process recognises it."""
_TEXT_LIMIT = 300


@contextmanager
def load_lock(
    path: Path,
    holder: str,
    notify: Callable[[str], None],
    sleep: Callable[[float], None],
    clock: Callable[[], float] = time.monotonic,
    wait_s: float = math.inf,
    beside: str = "",
) -> Iterator[None]:
    """Hold the lock for the block; wait for it while another run has it.

    Args:
        path: The lock's file, the same for every user of the host.
        holder: What waiting runs print: run, process, since when.
        notify: Called with who holds the lock, at once and every ``NOTIFY_EVERY_S``, and last.
        sleep: Sleeps between two attempts.
        clock: Seconds, never going back.
        wait_s: How long to wait at most; 0 for not at all.
        beside: How the text of a holder begins that is part of the same run: this one goes on
            beside it, without the lock; empty where there is none.

    Raises:
        GaveUpWaitingError: The other run went on for longer.
        OSError: The file cannot be made or locked for another reason than a holder.
    """
    descriptor = _open_for_all(path)
    try:
        began_s, notices = clock(), 0
        while not _try_lock(descriptor):
            if beside and _holder(descriptor).startswith(beside):
                yield
                return
            waited_s = clock() - began_s
            if waited_s >= wait_s:
                text = _gave_up(_holder(descriptor), wait_s)
                notify(text)
                raise GaveUpWaitingError(text)
            if waited_s >= notices * NOTIFY_EVERY_S:
                so_long = f"; waited {waited_s:.0f} s so far" if notices else ""
                notify(f"{WAITING} on this host to end: {_holder(descriptor)}{so_long}")
                notices = int(waited_s // NOTIFY_EVERY_S) + 1
            sleep(min(POLL_S, wait_s - waited_s))
        if notices:
            notify("the other load run has ended; going on")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode()[:_TEXT_LIMIT], 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Return whether a load run has the lock now; without a race nobody waits for this question.

    Args:
        path: As in ``load_lock``; it may not exist.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if not os.pread(descriptor, 1, 0):  # a holder empties the file at its end
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    else:
        return False  # it was killed
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    found = os.pread(descriptor, _TEXT_LIMIT, 0).decode(errors="replace").strip()
    return printable(found) if found else "unknown"


def _gave_up(holder: str, wait_s: float) -> str:
    return (
        f"{GAVE_UP} for another load run on this host, after {duration_text(wait_s)}: {holder}. "
        "Two load runs would measure each other, so nothing was started. Try again when it has "
        "ended (`perf-pipeline status`), or wait longer with --wait 2h"
    )


def _open_for_all(path: Path) -> int:
    """Open the file for reading and writing, made so that other users can lock it too.

    In a sticky folder such as /tmp the kernel may refuse O_CREAT on another user's file
    (fs.protected_regular), so an existing file is opened without it.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        if os.fstat(descriptor).st_uid == os.getuid():
            os.fchmod(descriptor, 0o666)
        return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True
