"""Plays one hour of a campaign in a process of its own: ``hour_process FOLDER HOUR``."""

from __future__ import annotations

import sys
from pathlib import Path

from perf_pipeline.endurance_run import play_hour
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from tests.integration.conftest import settings_in

if __name__ == "__main__":
    folder, hour = CampaignFolder(Path(sys.argv[1])), int(sys.argv[2])
    play_hour(folder, settings_in(folder.root.parents[1]), hour)
