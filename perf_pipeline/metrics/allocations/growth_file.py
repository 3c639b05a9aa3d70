"""The places that grew as a file: ``RESULTS/allocations/ID.json``, where ID is the trace's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.metrics.allocations.growth_places import GrowthPlaces
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "allocations"
SCHEMA_VERSION = 1


def growth_path(results: Path, trace_id: str) -> Path:
    """Return where the places of a trace that belongs to no campaign are stored."""
    return results / FOLDER / f"{trace_id}.json"


def write_growth_places(path: Path, growth: GrowthPlaces) -> None:
    """Write what grew, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"schema_version": SCHEMA_VERSION, **asdict(growth)})


def read_growth_places(path: Path) -> GrowthPlaces:
    """Read what grew.

    Raises:
        RunFolderError: It is missing, or is not what this version writes.
    """
    return read_typed(path, GrowthPlaces, SCHEMA_VERSION)
