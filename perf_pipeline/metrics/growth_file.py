"""The places that grew as a file: ``RESULTS/allocations/ID.json``, where ID is the trace's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.config.names import check_names
from perf_pipeline.metrics.types.growth.growth_places import GrowthPlaces
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "allocations"
SCHEMA_VERSION = 1


def growth_path(results: Path, trace_id: str) -> Path:
    """Return where a trace's places are stored, or will be."""
    return results / FOLDER / f"{trace_id}.json"


def write_growth_places(results: Path, growth: GrowthPlaces) -> Path:
    """Write ``allocations/ID.json`` into a results folder, whole or not at all; return the file."""
    path = growth_path(results, growth.trace_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"schema_version": SCHEMA_VERSION, **asdict(growth)})
    return path


def read_growth_places(path: Path) -> GrowthPlaces:
    """Read what ``write_growth_places`` wrote, equal to it.

    Raises:
        RunFolderError: The file is missing, or is not what this version writes.
    """
    growth = read_typed(path, GrowthPlaces, SCHEMA_VERSION)
    check_names(path, [("run id", growth.trace_id)])
    return growth
