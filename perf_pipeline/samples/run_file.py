"""Reads and replaces the files of a run; a link, a pipe or a device in their place is refused.

A results folder may come from somebody else. Reading a link would show a file from outside of it,
a pipe would wait for its writer for ever, and writing through a link would change what it names.

A hard link is refused if its file has another owner than its folder: whoever made the folder linked
it from elsewhere. Others are read: snapshots of folders (``cp -al``, ``rsync --link-dest``) consist
of them, and files are replaced, not written into.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import IO, TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.disk_space import disk_full, is_disk_full

if TYPE_CHECKING:
    from pathlib import Path

MAX_JSON_BYTES = 500_000_000
"""Metrics of the largest run that can be configured are below 100 MB."""

_FOREIGN = "it is a hard link to a file of another user than its folder's"


class DiskFullError(RunFolderError):
    """A file of a run could not be written for want of space."""

    errno = errno.ENOSPC


def read_file(path: Path) -> bytes:
    """Read a file of a run.

    Raises:
        FileNotFoundError: It is missing.
        OSError: It is a link, no regular file, too large, or cannot be read; the text says which.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise OSError("it is a symbolic link, which no file of a run is") from error
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is not a regular file")
        if _is_foreign(found, path):
            raise OSError(_FOREIGN)
        if found.st_size > MAX_JSON_BYTES:
            raise OSError(f"it has {found.st_size:,} bytes; the maximum is {MAX_JSON_BYTES:,}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def is_linked_from_elsewhere(path: Path) -> bool:
    """Return whether a file is a hard link to one of another user's than its folder's."""
    return _is_foreign(path.lstat(), path)


def _is_foreign(found: os.stat_result, path: Path) -> bool:
    return found.st_nlink > 1 and found.st_uid != path.parent.stat().st_uid


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``, whole or not at all: temporary file, fsync, rename.

    A link in the place of either file is replaced, and never followed.

    Raises:
        DiskFullError: It could not be written for want of space; ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with new_file(temporary) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if is_disk_full(error):
            raise DiskFullError(f"{path.name}: {disk_full(path.parent, error)}.") from error
        raise


def new_file(path: Path) -> IO[bytes]:
    """Open a new file for writing, in the place of whatever has its name."""
    path.unlink(missing_ok=True)
    return path.open("xb")
