"""``campaign.json``: what an endurance campaign plays, written before its first hour."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from perf_pipeline.config.endurance.endurance import REAL_HOUR_S
from perf_pipeline.config.names import check_names
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1

Evidence = Literal["real", "scaled", "extrapolated"]
"""What a figure over hours rests on; the three are never mixed in one table."""


@dataclass(frozen=True)
class Campaign:
    """What an endurance campaign plays.

    Attributes:
        campaign_id: Its id, a run's id; its folder is ``endurance-<id>``.
        scenario: Name of the scenario.
        target: What executes the workflows.
        rate_per_s: Arrivals a second, the same in every hour.
        seed: Of the scenario; it decides the kinds of the workflows and their data.
        hours: How many are planned.
        hour_seconds: Length of one; 3600 is a real hour.
        evidence: ``real`` for hours of 3600 s, else ``scaled``.
        begun_utc: Wall clock, ISO 8601 UTC.
        workflows_per_hour: Arrivals of an hour that is played to its end.
        begun_ns: CLOCK_MONOTONIC of the same moment.
        kernel_boot_id: Of the kernel whose clock that is; after another boot of the host the wall
            clock tells the time instead (``campaign_clock.py``).
        twin_leak_share: What a second process leaks on purpose over all hours, as a share of its
            memory and heap blocks at the start (``twin.*`` among the signals); 0 for no such
            process.
    """

    campaign_id: str
    scenario: str
    target: str
    rate_per_s: float
    seed: int
    hours: int
    hour_seconds: float
    evidence: Evidence
    begun_utc: str
    workflows_per_hour: int
    begun_ns: int = 0
    kernel_boot_id: str = ""
    twin_leak_share: float = 0.0


def evidence_of(hour_seconds: float) -> Evidence:
    """Return what figures over hours of a length rest on."""
    return "real" if hour_seconds == REAL_HOUR_S else "scaled"


def write_campaign(path: Path, campaign: Campaign) -> None:
    """Write ``campaign.json``, whole or not at all."""
    write_json(path, {"schema_version": SCHEMA_VERSION, **asdict(campaign)})


def read_campaign(path: Path) -> Campaign:
    """Read ``campaign.json``.

    Raises:
        RunFolderError: It is missing, or is not what this version writes.
    """
    campaign = read_typed(path, Campaign, SCHEMA_VERSION)
    check_names(path, [("run id", campaign.campaign_id), ("scenario name", campaign.scenario)])
    return campaign
