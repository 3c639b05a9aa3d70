"""The result file of an endurance campaign: ``results/endurance_24h_20241201_120000.json``.

A JSON list with one object an hour: the keys of every other result file, and what hours have
besides.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_folder import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder

_OF_HOURS = ("hour", "partition", "boot_id", "begun_s", "ended_s", "gap_before_s", "ended_because")
_OF_CAMPAIGN = ("evidence", "hour_seconds", "rate_per_s")


def write_campaign_file(folder: CampaignFolder) -> Path:
    """Write the result file of a campaign beside its folder; returns its path.

    Raises:
        RunFolderError: A file of the campaign cannot be read.
    """
    campaign = folder.campaign()
    begun = datetime.fromisoformat(campaign.begun_utc)
    name = f"endurance_{campaign.hours}h_{begun:%Y%m%d_%H%M%S}.json"
    entries = [
        {
            **performance,
            **{key: getattr(hour, key) for key in _OF_HOURS},
            **{key: getattr(campaign, key) for key in _OF_CAMPAIGN},
        }
        for hour, performance in folder.performances()
    ]
    path = folder.root.parent / name
    if path.exists() and _owner(path) != campaign.campaign_id:  # of the same second
        path = path.with_stem(f"endurance_{campaign.hours}h_{campaign.campaign_id}")
    write_json(path, entries)
    return path


def _owner(path: Path) -> str:
    """Return the campaign whose result file it is; empty for any other file."""
    try:
        return str(read_json(path)[0]["run_id"])
    except (RunFolderError, LookupError, TypeError):
        return ""
