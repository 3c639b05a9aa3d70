"""``hours/000/begun.json``: what a later hour must know of one that was killed."""

from dataclasses import asdict, dataclass
from pathlib import Path

from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class BegunHour:
    """An hour that was begun.

    Attributes:
        hour: Its number.
        partition: As of ``Hour``.
        boot_id: Of the target's process.
        campaign_begun_ns: When the campaign began, in the CLOCK_MONOTONIC that the hour was played
            by (``CampaignClock``).
        begun_ns: When its files were made, CLOCK_MONOTONIC.
    """

    hour: int
    partition: str
    boot_id: str
    campaign_begun_ns: int
    begun_ns: int


def write_begun_hour(folder: Path, hour: BegunHour) -> None:
    """Write ``begun.json`` into the folder of an hour."""
    write_json(folder / "begun.json", {"schema_version": SCHEMA_VERSION, **asdict(hour)})


def read_begun_hour(folder: Path) -> BegunHour:
    """Read ``begun.json`` from the folder of an hour.

    Raises:
        RunFolderError: It is missing, or is not what this version writes.
    """
    return read_typed(folder / "begun.json", BegunHour, SCHEMA_VERSION)
