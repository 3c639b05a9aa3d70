"""One load run at a time on a host: two would measure each other.

A lock of the kernel on one file: it ends with the process that holds it, however that ends, so
it can never be left behind. The file's text says who holds it, for whoever waits.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLL_S = 0.5
_TEXT_LIMIT = 300


@contextmanager
def load_lock(
    path: Path, holder: str, say: Callable[[str], None], sleep: Callable[[float], None]
) -> Iterator[None]:
    """Hold the lock for the block; wait for it as long as another run has it.

    Args:
        path: The lock's file, the same for every user of the host.
        holder: What others are told while they wait: run, process, since when.
        say: Told once for whom we wait, and again when the wait is over.
        sleep: Sleeps between two attempts.

    Raises:
        OSError: The file cannot be made or locked for another reason than a holder.
    """
    descriptor = _open_for_all(path)
    try:
        waited = False
        while not _try_lock(descriptor):
            if not waited:
                found = os.pread(descriptor, _TEXT_LIMIT, 0).decode(errors="replace").strip()
                say(f"waiting for another load run on this host to end: {found or 'unknown'}")
                waited = True
            sleep(POLL_S)
        if waited:
            say("the other load run has ended; going on")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode()[:_TEXT_LIMIT], 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


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
