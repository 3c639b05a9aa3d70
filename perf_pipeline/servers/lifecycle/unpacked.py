"""Debian packages that were unpacked without root, and what programs out of them need to run."""

from __future__ import annotations

from pathlib import Path

_LIBRARY_FOLDERS = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*")


def unpacked_root(cache_dir: Path, package: str) -> Path:
    """Return the folder that is ``/`` to an unpacked package; it may not exist."""
    return cache_dir / "debian" / package


def library_prefix(program: Path) -> list[str]:
    """Return the prefix of a program's command with which it finds the libraries beside it.

    Args:
        program: ``<root>/usr/sbin/<name>``, resolved.

    Returns:
        An ``env`` command for a program of an unpacked package that brought libraries; nothing
        for a program of the machine.
    """
    root = program.parent.parent.parent
    if root == Path("/"):
        return []
    folders = [str(path) for glob in _LIBRARY_FOLDERS for path in sorted(root.glob(glob))]
    return ["env", f"LD_LIBRARY_PATH={':'.join(folders)}"] if folders else []
