"""``hours/000/signals_missing.json``: which signals an hour's samples lack, how often, and why."""

from dataclasses import asdict, dataclass
from pathlib import Path

from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class MissingSignal:
    """A signal that some samples lack.

    Attributes:
        samples: How many.
        reason: Why the last of them lacks it.
    """

    samples: int
    reason: str


@dataclass(frozen=True)
class MissingSignals:
    """What the samples of an hour lack.

    Attributes:
        samples: How many there are.
        missing: By name; a signal that every sample has is not there.
    """

    samples: int
    missing: dict[str, MissingSignal]


def write_missing(path: Path, missing: MissingSignals) -> None:
    """Write ``signals_missing.json``, whole or not at all."""
    write_json(path, {"schema_version": SCHEMA_VERSION, **asdict(missing)})


def read_missing(path: Path) -> MissingSignals:
    """Read ``signals_missing.json``.

    Raises:
        RunFolderError: It is missing, or is not what this version writes.
    """
    return read_typed(path, MissingSignals, SCHEMA_VERSION)
