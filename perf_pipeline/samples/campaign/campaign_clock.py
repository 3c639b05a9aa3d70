"""Seconds since a campaign began, the same in every process that plays one of its hours."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.samples.campaign.campaign import Campaign


def read_kernel_boot_id() -> str:
    """Return the id of the running kernel's boot: CLOCK_MONOTONIC starts anew with each."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@dataclass(frozen=True)
class CampaignClock:
    """Converts CLOCK_MONOTONIC to seconds since a campaign began.

    Attributes:
        begun_ns: When the campaign began, in CLOCK_MONOTONIC of the running kernel; negative where
            that was before the kernel booted.
    """

    begun_ns: int

    @classmethod
    def of(
        cls, campaign: Campaign, *, kernel_boot_id: str, now_ns: int, now_utc: datetime
    ) -> CampaignClock:
        """Make the clock of a campaign.

        Args:
            campaign: The campaign.
            kernel_boot_id: Of the running kernel.
            now_ns: CLOCK_MONOTONIC.
            now_utc: The wall clock at the same moment; it is asked only where the host was booted
                since the campaign began.
        """
        if campaign.kernel_boot_id == kernel_boot_id:
            return cls(campaign.begun_ns)
        elapsed_s = (now_utc - datetime.fromisoformat(campaign.begun_utc)).total_seconds()
        return cls(now_ns - int(elapsed_s * 1e9))

    @classmethod
    def here(cls, campaign: Campaign) -> CampaignClock:
        """Make the clock of a campaign on this host, now."""
        return cls.of(
            campaign,
            kernel_boot_id=read_kernel_boot_id(),
            now_ns=time.monotonic_ns(),
            now_utc=datetime.now(UTC),
        )

    def seconds(self, at_ns: int) -> float:
        """Return how long after the campaign's begin a moment of CLOCK_MONOTONIC is, s."""
        return (at_ns - self.begun_ns) / 1e9
