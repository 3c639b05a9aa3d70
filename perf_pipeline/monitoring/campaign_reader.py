"""Reads an endurance campaign's folder as it grows: its hours, its signals, what they prove."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.monitoring.ended_values import campaign_values
from perf_pipeline.monitoring.levels_reading import LevelsReading, last_line
from perf_pipeline.monitoring.resource_values import exporter_values
from perf_pipeline.monitoring.sample import Sample
from perf_pipeline.samples.campaign.campaign_folder import SIGNALS
from perf_pipeline.samples.campaign.verdicts import read_verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.samples.campaign.campaign import Campaign
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder

ABANDONED_S = 3600.0
"""After so long, and two hours of the campaign, without a new file it is not waited for."""


class CampaignReader:
    """What is known of a campaign by now."""

    def __init__(
        self,
        folder: CampaignFolder,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        wall_s: Callable[[], float] = time.time,
        proc: Path = Path("/proc"),
    ) -> None:
        """Read nothing yet.

        Args:
            folder: The campaign's.
            clock_ns: CLOCK_MONOTONIC.
            wall_s: Seconds of the epoch.
            proc: Where the kernel tells of pressure.
        """
        self._folder = folder
        self._clock_ns, self._wall_s = clock_ns, wall_s
        self._proc = proc
        self._hours = LevelsReading(folder.root / "hours")
        self._campaign: Campaign | None = None
        self._played = 0
        self._proven: list[Sample] = []
        self._unreadable = 0
        self._read_s = self._heard_s = 0.0

    @property
    def has_begun(self) -> bool:
        """Whether there is a campaign yet."""
        return self._campaign is not None

    @property
    def is_over(self) -> bool:
        """Whether all hours were played and judged, or none has been for two hours and more."""
        if (campaign := self._campaign) is None:
            return False
        if self._proven and self._played >= campaign.hours:
            return True
        silent_s = self._read_s - self._heard_s
        return bool(self._heard_s) and silent_s > ABANDONED_S + 2 * campaign.hour_seconds

    def read(self) -> None:
        """Read what is new."""
        self._read_s, self._unreadable = self._wall_s(), 0
        try:
            self._campaign = self._campaign or self._folder.campaign()
            self._played = len(self._folder.hours())
            if self._folder.verdicts_file.exists():
                self._proven = list(campaign_values(read_verdicts(self._folder.verdicts_file)))
        except RunFolderError:
            self._unreadable = 1
        self._hours.read()
        if (hour := self._hours.latest) is not None:
            self._heard_s = hour.folder.stat().st_mtime

    def samples(self) -> Iterator[Sample]:
        """Return everything that was read."""
        now_ns = self._clock_ns()
        offset_s = self._wall_s() - now_ns / 1e9
        if (campaign := self._campaign) is not None:
            yield Sample("loadtest_run_info", (campaign.target, "", ""), 1)
            begun_s = datetime.fromisoformat(campaign.begun_utc).timestamp()
            yield Sample("loadtest_run_started_timestamp_seconds", (), begun_s)
        yield Sample("loadtest_hours_played", (), self._played)
        yield from self._hours.samples(now_ns)
        yield from self._latest_hour()
        yield from self._hours.of_latest(now_ns, lambda ns: offset_s + ns / 1e9, lambda _hour: {})
        yield from self._proven
        yield from exporter_values(self._folder.root, self._proc, self._read_s)
        count = self._hours.unreadable + self._unreadable
        yield Sample("loadtest_exporter_unreadable_files", (), count)

    def _latest_hour(self) -> Iterator[Sample]:
        if (hour := self._hours.latest) is None:
            return
        if hour.phase not in ("start", "ended"):
            yield from hour.now()
            heard_s = (hour.folder / "resources.jsonl").stat().st_mtime
            yield Sample("loadtest_heartbeat_timestamp_seconds", (), heard_s)
        if (sample := last_line(hour.folder / SIGNALS)) is not None:
            for name, value in sample["values"].items():
                yield Sample("loadtest_signal", (name,), value)
