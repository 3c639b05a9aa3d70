"""JSON files of a run, read back as the dataclasses that they were written from."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_file import read_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import TypeAdapter

_PROBLEMS_SHOWN = 3
_Stored = TypeVar("_Stored")


def read_typed(
    path: Path,
    kind: type[_Stored],
    schema_version: int,
    read: Callable[[Path], bytes] = read_file,
) -> _Stored:
    """Read a JSON file of a run as a value of a dataclass.

    Args:
        path: The file, with a ``schema_version`` beside the fields of ``kind``.
        kind: A dataclass whose annotations can be resolved.
        schema_version: The version that is read.
        read: Reads the file; by default one of a results folder, which is no link.

    Raises:
        RunFolderError: The file is missing, or is not what this version writes.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - 50 ms that only readers pay

    try:
        content = read(path)
        version = json.loads(content)["schema_version"]
        if version != schema_version:
            raise RunFolderError(
                f"{path} has schema version {version!r}; this reads {schema_version}"
            )
        return _adapter(kind).validate_json(content)  # type: ignore[arg-type, return-value]
    except FileNotFoundError as error:
        raise RunFolderError(
            f"{path} is missing: the path is wrong, or the run ended before it was written"
        ) from error
    except ValidationError as error:
        problems = "; ".join(
            ": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"])))
            for each in error.errors(include_url=False)[:_PROBLEMS_SHOWN]
        )
        raise RunFolderError(f"{path} is not what this version writes ({problems})") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunFolderError(f"{path} cannot be read as JSON of ours: {error!r}") from error


def prepare_reading(kind: type[object]) -> None:
    """Make what reads a dataclass, some 0.1 s for the metrics of a run, before it is needed."""
    _adapter(kind)  # type: ignore[arg-type]


@cache
def _adapter(kind: type[object]) -> TypeAdapter[object]:
    from pydantic import TypeAdapter  # noqa: PLC0415

    return TypeAdapter(kind)
