"""A campaign as it is stored: what was planned, measured and judged. Nothing is computed again."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from perf_pipeline.config.endurance.endurance import REAL_HOUR_S
from perf_pipeline.metrics.allocations.growth_file import read_growth_places
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.hour import GAP_SHARE_MIN
from perf_pipeline.samples.campaign.missing_signals import MissingSignal
from perf_pipeline.samples.campaign.verdicts import read_verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from perf_pipeline.metrics.allocations.growth_places import GrowthPlaces
    from perf_pipeline.samples.campaign.campaign import Campaign
    from perf_pipeline.samples.campaign.hour import Hour
    from perf_pipeline.samples.campaign.signal_limits import SignalLimit
    from perf_pipeline.samples.campaign.signal_sample import SignalSample
    from perf_pipeline.samples.campaign.verdicts import Verdicts

VERDICTS = "verdicts.json"


@dataclass(frozen=True)
class StoredCampaign:
    """A campaign with all that is known of it.

    Attributes:
        campaign: As it was planned.
        hours: Those that have ended, in order.
        samples: Values of the signals, in order of time.
        missing_signals: Name of each signal that samples lack to how many, and why the last one.
        limits: Name of each signal with a known limit to the limit, of the newest life that has it.
        verdicts: None where it was not judged yet.
        growth: The places that grew, or why none can be named; None where they were not looked for.
    """

    campaign: Campaign
    hours: tuple[Hour, ...]
    samples: tuple[SignalSample, ...]
    missing_signals: dict[str, MissingSignal]
    limits: dict[str, SignalLimit]
    verdicts: Verdicts | None
    growth: GrowthPlaces | None

    @property
    def is_real(self) -> bool:
        """Whether an hour of it took 3600 s, and is stored as real."""
        return self.campaign.evidence == "real" and self.campaign.hour_seconds == REAL_HOUR_S

    @property
    def basis(self) -> str:
        """What its numbers are evidence of, for the head of a table."""
        if self.is_real:
            return "real hours"
        return f"scaled hours of {self.campaign.hour_seconds:g} s"

    @property
    def missing(self) -> tuple[int, ...]:
        """Hours without a result before the last one that has ended."""
        there = {one.hour for one in self.hours}
        return tuple(hour for hour in range(max(there, default=-1)) if hour not in there)

    @property
    def to_come(self) -> int:
        """Planned hours after the last one that has ended."""
        return max(0, self.campaign.hours - 1 - max((one.hour for one in self.hours), default=-1))

    @property
    def gaps(self) -> tuple[Hour, ...]:
        """Hours after the first before which no load ran for longer than changing one takes."""
        limit_s = GAP_SHARE_MIN * self.campaign.hour_seconds
        return tuple(one for one in self.hours if one.hour and one.gap_before_s > limit_s)

    @property
    def breaks(self) -> tuple[Hour, ...]:
        """Hours on another process of the target than the hour before."""
        return tuple(two for one, two in pairwise(self.hours) if two.boot_id != one.boot_id)

    @property
    def signal_names(self) -> tuple[str, ...]:
        """Names of all signals that were sampled."""
        return tuple(dict.fromkeys(name for one in self.samples for name in one.values))

    @property
    def unmeasured_signals(self) -> tuple[str, ...]:
        """Names of the signals that no sample has."""
        return tuple(name for name in self.missing_signals if name not in self.signal_names)

    def series(self, name: str) -> list[tuple[float, float]]:
        """Return seconds and value of each sample of a signal."""
        return [(one.seconds, one.values[name]) for one in self.samples if name in one.values]


def stored_campaign(root: Path) -> StoredCampaign:
    """Read a campaign's folder.

    Raises:
        RunFolderError: A file is missing, or is not what this version writes.
    """
    folder = CampaignFolder(root)
    hours = tuple(folder.hours())
    begun = folder.begun_hours()
    samples = (sample for hour in begun for sample in folder.signals(hour))
    lacking = _summed(folder.missing_signals(hour) for hour in begun)
    limits = {name: one for hour in hours for name, one in folder.limits(hour.boot_id).items()}
    judged, traced = root / VERDICTS, folder.growth_file
    return StoredCampaign(
        folder.campaign(),
        hours,
        tuple(samples),
        lacking,
        limits,
        verdicts=read_verdicts(judged) if judged.exists() else None,
        growth=read_growth_places(traced) if traced.exists() else None,
    )


def _summed(hours: Iterable[dict[str, MissingSignal]]) -> dict[str, MissingSignal]:
    """Add up what the samples of all hours lack."""
    found: dict[str, MissingSignal] = {}
    for hour in hours:
        for name, one in hour.items():
            before = found[name].samples if name in found else 0
            found[name] = MissingSignal(before + one.samples, one.reason)
    return found
