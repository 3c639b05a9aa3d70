"""Files runs that ended before: those of a results folder that the catalogue does not have yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from perf_pipeline.catalogue.filing import file_in
from perf_pipeline.catalogue.tables import Run
from perf_pipeline.errors import CatalogueError, RunFolderError
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.run_record import MAY_GO_ON

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from perf_pipeline.catalogue.store import Catalogue
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.run_folder import RunFolder

_AT_ONCE = 50
"""Runs that are filed in one transaction: others wait for less than a second."""


@dataclass(frozen=True)
class FiledRuns:
    """What became of runs that were to be filed.

    Attributes:
        new: Ids of the runs that the catalogue has now and had not.
        known: Ids of those whose rows were replaced.
        unread: A sentence for each that could not be read, or has no metrics.
    """

    new: tuple[str, ...]
    known: tuple[str, ...]
    unread: tuple[str, ...]


def file_old_runs(
    catalogue: Catalogue, folders: Iterable[RunFolder], archive: Path | None = None
) -> FiledRuns:
    """File runs from their stored metrics; those that may go on are left alone.

    Args:
        catalogue: The catalogue.
        folders: Of the runs.
        archive: The archive from which they were unpacked for this; None where they stay.

    Raises:
        CatalogueError: They could not be written.
    """
    found: list[tuple[RunMetrics, Path]] = []
    unread = []
    for folder in folders:
        try:
            with damage_named(folder):
                if folder.read_status()["status"] not in MAY_GO_ON:
                    found.append((read_metrics(folder), archive or folder.root.absolute()))
        except RunFolderError as error:
            unread.append(str(error))
    new: list[str] = []
    known: list[str] = []
    for begin in range(0, len(found), _AT_ONCE):
        with catalogue.writing() as session:
            for metrics, place in found[begin : begin + _AT_ONCE]:
                is_new = file_in(session, metrics, place)
                (new if is_new else known).append(metrics.run_id)
    return FiledRuns(tuple(new), tuple(known), tuple(unread))


def file_missing_runs(catalogue: Catalogue, folders: Iterable[RunFolder]) -> FiledRuns:
    """File those runs that the catalogue does not have; what cannot be written is named.

    Raises:
        CatalogueError: The catalogue cannot be read.
    """
    with catalogue.reading() as session:
        filed = set(session.scalars(select(Run.id)))
    missing = [folder for folder in folders if folder.run_id not in filed]
    if not missing:
        return FiledRuns((), (), ())
    try:
        return file_old_runs(catalogue, missing)
    except CatalogueError as error:
        return FiledRuns((), (), (f"{len(missing)} runs are not in the catalogue: {error}",))
