"""The places that grew as a file: ``RESULTS/allocations/ID.json``, where ID is the trace's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.allocations.growth_places import GrowthPlaces

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
