"""A file system of a fixed size, in memory, that only this process and its children see.

It needs no root: the kernel gives a process a mount namespace of its own together with a user
namespace, and takes the file system back with the last process in it. Where user namespaces are
forbidden (Docker's default profile), there is none.

Standard library only: the guardian imports this.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_NOSUID_NODEV = 0x2 | 0x4
_MNT_DETACH = 0x2


def make_own_disk(folder: Path, size_mb: int) -> None:
    """Mount a file system on a folder, for this process and the children that it will start.

    Users stay who they are. This process must have one thread.

    Args:
        folder: An empty folder of this user's.
        size_mb: How much it holds.

    Raises:
        OSError: The kernel refused; the process may be in a user namespace then.

    Source:
        unshare(2), user_namespaces(7), mount(2), tmpfs(5).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    _call(libc.unshare, _CLONE_NEWUSER | _CLONE_NEWNS)
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny", encoding="ascii")
    (own / "uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    (own / "gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    options = f"size={size_mb}m,mode=0700".encode()
    _call(libc.mount, b"perf_pipeline", os.fsencode(folder), b"tmpfs", _MS_NOSUID_NODEV, options)


def remove_own_disk(folder: Path) -> None:
    """Unmount what ``make_own_disk`` mounted; a folder without it stays as it is."""
    ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(folder), _MNT_DETACH)


def _call(function: Callable[..., int], *arguments: object) -> None:
    if function(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{function.__name__}: {os.strerror(code)}")


def own_disk_of(folder: Path, pid: int) -> Path | None:
    """Return a server's data folder as the server sees it, if it is a file system of its own.

    Args:
        folder: The server's folder.
        pid: A process of the server.

    Returns:
        A path that this process can use; None if the data are on the file system of ``folder``.

    Raises:
        OSError: The process has ended.
    """
    data = Path(f"/proc/{pid}/root{folder}/data")
    return data if data.stat().st_dev != data.parent.stat().st_dev else None
