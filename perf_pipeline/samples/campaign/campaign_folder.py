"""The folder of an endurance campaign, and what is read from it.

RESULTS/endurance-ID/campaign.json   what is played
.../scenario.json                    the scenario as it was checked, and its environments
.../boots/BOOT_ID/                   worker files of one life of the target (log, job, cold starts),
                                     and limits.json: the limits of its signals
.../hours/000/                       one folder an hour: hour.json once it has ended, signals.jsonl,
                                     and the files of a load level (level.json, journals, ...)
.../verdicts.json                    what the hours prove
.../growth.json                      the places in the code that grew, of a campaign that leaks
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perf_pipeline.config.names import check_names
from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.campaign.campaign import Campaign, read_campaign
from perf_pipeline.samples.campaign.hour import Hour, read_hour
from perf_pipeline.samples.campaign.missing_signals import MissingSignal, read_missing
from perf_pipeline.samples.campaign.signal_limits import SignalLimit, read_signal_limits
from perf_pipeline.samples.campaign.signal_sample import SignalSample, read_samples
from perf_pipeline.samples.run_folder import read_json

PREFIX = "endurance-"
PERFORMANCE = "performance.json"
"""File of an hour with the metrics under the names that users know (``PerformanceMetrics``)."""
PLAYING = ".playing"
"""File that is locked while a process plays an hour of a campaign."""
SIGNALS = "signals.jsonl"
SIGNALS_MISSING = "signals_missing.json"
"""Files in the folder of an hour."""


@dataclass(frozen=True)
class CampaignFolder:
    """The folder of one campaign.

    Attributes:
        root: The folder, ``endurance-`` and the campaign's id.

    Raises:
        RunFolderError: That name cannot be one.
    """

    root: Path

    def __post_init__(self) -> None:
        if not self.root.name.startswith(PREFIX):
            raise RunFolderError(f"{self.root} is not a campaign: its name is not {PREFIX}ID")
        check_names(self.root, [("run id", self.campaign_id)])

    @classmethod
    def of(cls, results: Path, campaign_id: str) -> CampaignFolder:
        """Name the folder of a campaign in a results folder."""
        return cls(results / f"{PREFIX}{campaign_id}")

    @property
    def campaign_id(self) -> str:
        """The campaign's id."""
        return self.root.name.removeprefix(PREFIX)

    @property
    def campaign_file(self) -> Path:
        """Path of ``campaign.json``."""
        return self.root / "campaign.json"

    @property
    def scenario_file(self) -> Path:
        """Path of ``scenario.json``: the scenario as it was checked, for the hours' processes."""
        return self.root / "scenario.json"

    @property
    def verdicts_file(self) -> Path:
        """Path of ``verdicts.json``: what the hours prove."""
        return self.root / "verdicts.json"

    @property
    def growth_file(self) -> Path:
        """Path of ``growth.json``: the places that grew, of a campaign that leaks."""
        return self.root / "growth.json"

    @property
    def boots(self) -> Path:
        """Folder with a folder for each life of the target."""
        return self.root / "boots"

    def hour_folder(self, hour: int) -> Path:
        """Return the folder of an hour, whether or not it was begun."""
        return self.root / "hours" / f"{hour:03d}"

    def hour_file(self, hour: int) -> Path:
        """Return the path of an hour's ``hour.json``."""
        return self.hour_folder(hour) / "hour.json"

    def signals_file(self, hour: int) -> Path:
        """Return the path of an hour's ``signals.jsonl``."""
        return self.hour_folder(hour) / SIGNALS

    def campaign(self) -> Campaign:
        """Read what is played.

        Raises:
            RunFolderError: ``campaign.json`` is missing, or is not what this version writes.
        """
        return read_campaign(self.campaign_file)

    def begun_hours(self) -> list[int]:
        """Return the numbers of the hours that were begun, in order; some may lack an hour.json."""
        names = (path.name for path in (self.root / "hours").glob("[0-9]*"))
        return sorted(int(name) for name in names if name.isdecimal())

    def hours(self) -> list[Hour]:
        """Read the hours that have ended, in order; one that was not played is missing.

        Raises:
            RunFolderError: An ``hour.json`` is not what this version writes.
        """
        files = (self.hour_file(hour) for hour in self.begun_hours())
        return [read_hour(path) for path in files if path.exists()]

    def performances(self) -> list[tuple[Hour, dict[str, Any]]]:
        """Read the hours that have ended with their metrics; none of one whose load never began.

        Raises:
            RunFolderError: A file is not what this version writes.
        """
        found = ((hour, self.hour_folder(hour.hour) / PERFORMANCE) for hour in self.hours())
        return [(hour, read_json(path)) for hour, path in found if path.exists()]

    def signals(self, hour: int) -> list[SignalSample]:
        """Read the samples of an hour; none where it was not sampled.

        Raises:
            RunFolderError: The file is not what this version writes.
        """
        return list(read_samples(self.signals_file(hour)))

    def limits_file(self, boot_id: str) -> Path:
        """Return the path of the limits that the signals of a life of the target have."""
        return self.boots / boot_id / "limits.json"

    def limits(self, boot_id: str) -> dict[str, SignalLimit]:
        """Read the limits of the signals of a life of the target; none where none were written.

        Raises:
            RunFolderError: The file is not what this version writes.
        """
        path = self.limits_file(boot_id)
        return read_signal_limits(path).limits if path.exists() else {}

    def missing_signals(self, hour: int) -> dict[str, MissingSignal]:
        """Read which signals the samples of an hour lack; none where the hour was killed.

        Raises:
            RunFolderError: The file is not what this version writes.
        """
        path = self.hour_folder(hour) / SIGNALS_MISSING
        return read_missing(path).missing if path.exists() else {}


def campaign_named(name: str | None, results: Path) -> CampaignFolder | None:
    """Return the campaign that a user names by its id or folder; None where it is none.

    Args:
        name: ``endurance-ID`` or ``ID`` in the results folder, or a path; None for none.
        results: The results folder.
    """
    if name is None:
        return None
    for path in (results / name, results / f"{PREFIX}{name}", Path(name)):
        if path.name.startswith(PREFIX) and (path / "campaign.json").is_file():
            return CampaignFolder(path.resolve())
    return None
