"""Takes out of a process what its session says to other Pythons and other projects."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_OURS = "PYTHONIOENCODING"
"""Means our output; ``streams.py`` reads it."""
_ALL_WRITE = 0o002
_NUMPY_THREADS = "OPENBLAS_NUM_THREADS"
_SIZES = ("COLUMNS", "LINES", "TERMINAL_WIDTH")
"""rich and typer take them for numbers, and lay tables out in 0 columns."""


def forget_other_pythons(environ: MutableMapping[str, str]) -> None:
    """Remove the variables that change how Python and its environments work.

    ``PYTHONPATH``, ``PYTHONHOME``, ``PYTHONOPTIMIZE``, ``PYTHONWARNINGS`` and so on are meant for
    another project; neither this process nor any child of it may follow them.
    """
    for name in list(environ):
        if name == "VIRTUAL_ENV" or (name.startswith("PYTHON") and name != _OURS):
            del environ[name]
    if not environ.get("TMPDIR", "/").startswith(
        "/"
    ):  # a child with another current folder must not look elsewhere
        environ["TMPDIR"] = os.path.abspath(environ["TMPDIR"])  # noqa: PTH100 - nothing resolved
    for name in _SIZES:
        if not _is_size(environ.get(name, "80")):
            del environ[name]


def limit_numpy_threads(environ: MutableMapping[str, str]) -> None:
    """Let numpy of this process and its children use one thread, unless the session says more.

    Our matrices are small: threads of OpenBLAS wait for each other in a loop, at the expense of
    whatever runs beside them. OpenBLAS reads the variable when numpy is imported.
    """
    environ.setdefault(_NUMPY_THREADS, "1")


def keep_from_all_users() -> None:
    """Let no file of this process be written to by every user, whatever the session's umask."""
    os.umask(os.umask(0) | _ALL_WRITE)


def restart_isolated() -> None:
    """Start this program anew with ``python -I``, unless it was started so.

    Python has read its variables before our first line runs, and has put the current folder or the
    script's on the import path. The environment is clean by now; open files and ignored signals
    stay as they are.
    """
    arguments = sys.orig_argv[1:]
    if sys.flags.isolated or not arguments or arguments[0] == "-":
        return
    os.execv(sys.executable, [sys.executable, "-I", *arguments])


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) > 0
