"""A differential profile as a file: ``RESULTS/profiles/ID.json``, where ID is the comparison's."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.config.names import check_names
from perf_pipeline.metrics.types.profile import DifferentialProfile
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "profiles"
SCHEMA_VERSION = 1


def profile_path(results: Path, comparison_id: str) -> Path:
    """Return where the profile of a comparison is stored, or will be."""
    return results / FOLDER / f"{comparison_id}.json"


def write_profile(results: Path, profile: DifferentialProfile) -> Path:
    """Write ``profiles/ID.json`` into a results folder, whole or not at all; return the file."""
    path = profile_path(results, profile.comparison_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"schema_version": SCHEMA_VERSION, **asdict(profile)})
    return path


def read_profile(path: Path) -> DifferentialProfile:
    """Read a profile back, equal to the one that was written.

    Raises:
        RunFolderError: The file is missing, or is not what this version writes.
    """
    profile = read_typed(path, DifferentialProfile, SCHEMA_VERSION)
    check_names(path, [("comparison id", profile.comparison_id)])
    return profile


def profile_of(results: Path, comparison_id: str) -> DifferentialProfile | None:
    """Return the profile that explains a comparison; None where there is none.

    Raises:
        RunFolderError: It is not what this version writes.
    """
    path = profile_path(results, comparison_id)
    return read_profile(path) if path.is_file() else None
