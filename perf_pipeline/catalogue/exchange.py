"""Baselines as a file of an archive of results: they leave and arrive with their runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from perf_pipeline.catalogue.baselines import PinnedBaseline, list_baselines, pin_baseline
from perf_pipeline.catalogue.old_runs import file_old_runs
from perf_pipeline.config.names import check_names
from perf_pipeline.errors import CatalogueError
from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from perf_pipeline.catalogue.store import Catalogue
    from perf_pipeline.config.names import NameKind
    from perf_pipeline.samples.run_folder import RunFolder

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ExportedBaselines:
    """The content of ``baselines.json``."""

    baselines: tuple[PinnedBaseline, ...]


def baselines_of(catalogue: Catalogue, run_ids: Collection[str]) -> bytes | None:
    """Return the file with the baselines that have runs among these; None if there are none.

    Raises:
        CatalogueError: The catalogue cannot be read.
    """
    found = tuple(one for one in list_baselines(catalogue) if set(one.runs) & set(run_ids))
    if not found:
        return None
    whole = {"schema_version": SCHEMA_VERSION, **asdict(ExportedBaselines(found))}
    return json.dumps(whole, indent=1).encode()


def take_in(catalogue: Catalogue, folders: Iterable[RunFolder], file: Path | None) -> list[str]:
    """File runs that were imported, and pin the baselines that came with them.

    A name that stands for other runs here stays as it is.

    Args:
        catalogue: Where to.
        folders: Of the runs, in place.
        file: Their ``baselines.json``; None without one.

    Returns:
        A sentence for each run or baseline that was not taken in, and for each that was pinned.

    Raises:
        CatalogueError: The catalogue cannot be written.
        RunFolderError: The file is not one of baselines.
    """
    lines = list(file_old_runs(catalogue, folders).unread)
    if file is None:
        return lines
    brought = read_typed(file, ExportedBaselines, SCHEMA_VERSION).baselines
    for one in brought:
        names: list[tuple[NameKind, str]] = [("run id", run) for run in one.runs]
        check_names(file, [("baseline name", one.name), *names])
    return [*lines, *(_pinned(catalogue, one) for one in brought)]


def _pinned(catalogue: Catalogue, one: PinnedBaseline) -> str:
    there = [
        known
        for known in list_baselines(catalogue, one.name)
        if (known.scenario, known.machine) == (one.scenario, one.machine)
    ]
    if there and there[0].runs != one.runs:
        return (
            f"baseline {one.name} stands for {', '.join(there[0].runs)} here and was not replaced "
            f"by {', '.join(one.runs)}"
        )
    try:
        created = datetime.fromisoformat(one.created)
        pin_baseline(catalogue, one.name, one.runs, one.note, created)
    except (CatalogueError, ValueError) as error:
        return f"baseline {one.name} was not imported: {error}"
    return f"baseline {one.name}: {', '.join(one.runs)}"
