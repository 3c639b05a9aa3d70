"""``make`` as its users type it, on a stack under test.

The environment is never made here (``-o``): this session runs from it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
_OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
"""What ``make test-docker`` leaves in the environment for a make below it."""


def make_command(*words: str) -> list[str]:
    """Return the command."""
    return ["make", "-o", ".venv/ready", "--no-print-directory", *words]


def make_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the traces of another make."""
    return {name: value for name, value in environ.items() if name not in _OF_MAKE}


def make(
    environ: Mapping[str, str], *words: str, timeout_s: float = 300.0
) -> subprocess.CompletedProcess[str]:
    """Run make to its end."""
    return subprocess.run(
        make_command(*words),
        cwd=ROOT,
        env=make_environ(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
