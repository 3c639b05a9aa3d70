"""Between an archive of results and the catalogue: baselines leave and arrive with their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.catalogue.file_names import CATALOGUE_FILE
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_list import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def exported_baselines(results: Path, url: str | None) -> bytes | None:
    """Return the file of the baselines of a folder's runs; None if there are none.

    Raises:
        CatalogueError: The catalogue cannot be read.
    """
    if url is None and not (results / CATALOGUE_FILE).exists():
        return None
    from perf_pipeline.catalogue.exchange import baselines_of  # noqa: PLC0415 - only with a catalogue
    from perf_pipeline.catalogue.store import open_catalogue  # noqa: PLC0415

    ids = [folder.run_id for folder in read_runs(results).folders]
    return baselines_of(open_catalogue(results, url), ids)


def take_in_imported(
    results: Path,
    names: Iterable[str],
    baselines: Path | None,
    url: str | None,
    notify: Callable[[str], None],
) -> None:
    """File imported runs and their baselines; the import stands whatever prevents that.

    Args:
        results: Where the runs are now.
        names: What was imported into it.
        baselines: The file of their baselines; None without one.
        url: PostgreSQL database of the catalogue; None for the file in ``results``.
        notify: Called with a line for each baseline, and for what was not filed.
    """
    runs = [RunFolder(results / name) for name in names if (results / name / "run.json").exists()]
    if not any(run.metrics.exists() for run in runs):
        return
    from perf_pipeline.catalogue.exchange import take_in  # noqa: PLC0415 - only with a catalogue
    from perf_pipeline.catalogue.store import open_catalogue  # noqa: PLC0415

    try:
        for line in take_in(open_catalogue(results, url), runs, baselines):
            notify(line)
    except PerfPipelineError as error:
        notify(f"the runs are imported, and not all are in the catalogue: {error}")
