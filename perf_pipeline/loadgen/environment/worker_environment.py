"""The environment variables of a worker process, and of what tries functions as one would."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def worker_environment(home: Path | str, python_path: str | None) -> dict[str, str]:
    """Return the variables, made from nothing.

    ``CI`` or a coverage tool's variables change how kailash runs, and HOME is where it would keep
    its tracking database.

    Args:
        home: Folder of the process's own.
        python_path: Folder from which a user's own functions are imported; None for none.
    """
    return {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), python_path])),
    }
