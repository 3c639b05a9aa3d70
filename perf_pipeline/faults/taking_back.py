"""Takes back a failure whose injector is dead: what its guardian and the next run do."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from perf_pipeline.faults.fault_journal import OpenFault

OWN_FOLDER = "fault-"
"""How the folder of a failure's own files begins, in its level's folder."""


def kind_module(kind: str) -> ModuleType:
    """Import what does and takes back a kind of failure."""
    return import_module(f"perf_pipeline.faults.kinds.{kind}")


def take_back(fault: OpenFault) -> str:
    """Take back what a failure left in effect, and remove its own files.

    Returns:
        How it ended, for people: ``taken back``, or why nothing had to be done.

    Raises:
        Exception: It could not be taken back, for whatever reason its kind met.
    """
    ended = "it had ended with the process that injected it"
    if fault.has_server_ended:
        ended = "it had ended with its server"
    elif fault.entry:
        kind_module(fault.kind).undo_left_behind(fault.entry)
        ended = "it was taken back"
    remove_own_folder(fault)
    return ended


def remove_own_folder(fault: OpenFault) -> None:
    """Remove the folder of a failure's own files."""
    folder = Path(fault.own_folder)
    if folder.name.startswith(OWN_FOLDER) and folder.parent == Path(fault.level):
        shutil.rmtree(folder, ignore_errors=True)
