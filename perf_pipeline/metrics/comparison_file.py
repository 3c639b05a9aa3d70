"""A comparison as a file: ``RESULTS/comparisons/ID.json``, written once, read back as equal values.

Its page (``ID.html``) and its Markdown (``ID.md``) are beside it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.config.names import check_names
from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.types.comparison import Comparison
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "comparisons"
SCHEMA_VERSION = 1


class FoundComparisons(NamedTuple):
    """The comparisons of a results folder.

    Attributes:
        found: The newest ones, newest first.
        older: How many are not among them.
        damaged: A sentence for each of them that cannot be read.
    """

    found: tuple[Comparison, ...]
    older: int
    damaged: tuple[str, ...]


def comparison_path(results: Path, comparison_id: str) -> Path:
    """Return where a comparison is stored, or will be."""
    return results / FOLDER / f"{comparison_id}.json"


def write_comparison(results: Path, comparison: Comparison) -> Path:
    """Write ``comparisons/ID.json`` into a results folder, whole or not at all; return the file."""
    path = comparison_path(results, comparison.comparison_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"schema_version": SCHEMA_VERSION, **asdict(comparison)})
    return path


def read_comparison(path: Path) -> Comparison:
    """Read a comparison back, equal to the one that was written.

    Raises:
        RunFolderError: The file is missing, or is not what this version writes.
    """
    comparison = read_typed(path, Comparison, SCHEMA_VERSION)
    check_names(path, [("comparison id", comparison.comparison_id)])
    return comparison


def read_comparisons(results: Path, comparisons_max: int) -> FoundComparisons:
    """Read the newest comparisons of a results folder; a damaged one is named, and hides no other.

    Args:
        results: The results folder; it may not exist.
        comparisons_max: Maximum number that is read.
    """
    folder = results / FOLDER
    try:
        paths = [] if folder.is_symlink() else sorted(folder.glob("*.json"), reverse=True)
    except OSError as error:
        return FoundComparisons((), 0, (f"{folder} cannot be read: {error.strerror}",))
    found, damaged = [], []
    for path in paths[:comparisons_max]:
        try:
            found.append(read_comparison(path))
        except RunFolderError as error:
            damaged.append(str(error))
    return FoundComparisons(tuple(found), len(paths[comparisons_max:]), tuple(damaged))
