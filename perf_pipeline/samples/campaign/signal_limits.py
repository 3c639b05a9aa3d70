"""``boots/BOOT_ID/limits.json``: values that the signals of one life of the target cannot pass."""

from dataclasses import asdict, dataclass
from pathlib import Path

from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SignalLimit:
    """A limit of a signal.

    Attributes:
        value: In the unit of the signal.
        source: What sets it, such as ``memory of the machine`` or ``max_connections of MariaDB``.
    """

    value: float
    source: str


@dataclass(frozen=True)
class SignalLimits:
    """The limits that are known.

    Attributes:
        limits: By the name of the signal; one without a known limit is not there.
    """

    limits: dict[str, SignalLimit]


def write_signal_limits(path: Path, limits: SignalLimits) -> None:
    """Write ``limits.json``, whole or not at all."""
    write_json(path, {"schema_version": SCHEMA_VERSION, **asdict(limits)})


def read_signal_limits(path: Path) -> SignalLimits:
    """Read ``limits.json``.

    Raises:
        RunFolderError: It is missing, or is not what this version writes.
    """
    return read_typed(path, SignalLimits, SCHEMA_VERSION)
