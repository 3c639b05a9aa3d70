"""Files of a user's folder that cannot be imported, because a module of their name comes first.

Imported in the target's process: standard library only.
"""

from __future__ import annotations

import sys
from pathlib import Path

OURS = "perf_pipeline"


def hidden_modules(folder: str) -> dict[str, Path]:
    """Return the modules of a folder whose names Python's standard library or this package has.

    Args:
        folder: The user's; empty for none.

    Returns:
        Name of the module to its file or package.
    """
    if not folder:
        return {}
    taken = {*sys.stdlib_module_names, OURS}
    try:
        entries = sorted(Path(folder).iterdir())
    except OSError:
        return {}
    found = {}
    for entry in entries:
        is_package = (entry / "__init__.py").exists()
        name = entry.name if is_package else entry.stem
        if name in taken and (is_package or entry.suffix == ".py"):
            found[name] = entry
    return found


def hidden_sentence(name: str, file: Path) -> str:
    """Return what is wrong with a module that cannot be imported, and what to do."""
    whose = "perf_pipeline's own" if name == OURS else "Python's own"
    return (
        f"{file} has the name of a module that comes first, so `import {name}` gives workers "
        f"{whose}; rename it."
    )
