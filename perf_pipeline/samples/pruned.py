"""The mark of a load level whose records were removed to save space; its metrics are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_folder import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder

_FILE = "pruned.json"


def mark_pruned(level: Path, at: str) -> None:
    """Record that the records in a level's folder are removed from ``at`` on, ISO 8601 UTC."""
    write_json(level / _FILE, {"pruned_at": at})


def pruned_at(level: Path) -> str | None:
    """Return when the records in a level's folder were removed; None if they were not.

    Raises:
        RunFolderError: The mark cannot be read.
    """
    path = level / _FILE
    if not path.exists():
        return None
    mark = read_json(path)
    return str(mark.get("pruned_at", "unknown")) if isinstance(mark, dict) else "unknown"


def run_pruned_at(folder: RunFolder) -> str | None:
    """Return when the records of a run were removed; None if all of them are there."""
    return next(filter(None, map(pruned_at, folder.level_folders())), None)


def refuse_pruned(level: Path) -> None:
    """Refuse to read records that were removed.

    Raises:
        RunFolderError: They were; the text says when.
    """
    if at := pruned_at(level):
        raise RunFolderError(f"the records in {level} are gone: {pruned_sentence(at)}")


def pruned_sentence(at: str) -> str:
    """Return what was removed and what is kept."""
    return (
        f"they were pruned on {at[:10]} (`perf-pipeline prune`); metrics, histograms, reports and "
        "manifest are kept"
    )
