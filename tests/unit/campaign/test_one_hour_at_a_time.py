"""One process at a time plays an hour of a campaign; another waits as long as it is told to."""

from __future__ import annotations

import time
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.endurance_run import play_hour
from perf_pipeline.errors import GaveUpWaitingError, RunFolderError
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder

if TYPE_CHECKING:
    from pathlib import Path


def test_an_hour_waits_for_one_that_is_being_played_and_names_it(tmp_path: Path) -> None:
    """Two runs of a backfill began at once, and the second failed; now it follows the first."""
    folder = CampaignFolder(tmp_path / "endurance-20260114_093012-4f2c")
    folder.root.mkdir()
    said: list[str] = []

    def play(wait_s: float) -> None:
        play_hour(folder, current_settings(), 0, notify=said.append, wait_s=wait_s)

    with load_lock(folder.root / ".playing", "hour 1", said.append, time.sleep):
        with pytest.raises(GaveUpWaitingError, match="hour 1"):
            play(0.0)
        ended: list[BaseException] = []

        def follow() -> None:
            try:
                play(60.0)
            except RunFolderError as error:  # there is no campaign.json: it got so far
                ended.append(error)

        following = Thread(target=follow)
        following.start()
        while not any("waiting for another load run" in line for line in said):
            time.sleep(0.01)
        assert ended == []
    following.join(60)
    assert "campaign.json" in str(ended[0])
