"""What leaks from a real target is in the signals of its hours, to the last thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.campaign.campaign_folder import SIGNALS_MISSING
from perf_pipeline.samples.campaign.missing_signals import read_missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from perf_pipeline.samples.campaign.missing_signals import MissingSignal

pytestmark = pytest.mark.integration

OBJECT_BYTES = 512
"""Of ``leaky_functions``."""


def _missing(folder: CampaignFolder, hour: int) -> dict[str, MissingSignal]:
    """Return which signals the samples of an hour lack."""
    path = folder.hour_folder(hour) / SIGNALS_MISSING
    return read_missing(path).missing if path.exists() else {}


def test_hours_show_each_leak_of_a_target_and_that_its_twin_leaks_more(
    soaked: Callable[..., CampaignFolder],
) -> None:
    """After W workflows: W / 100 files, W / 1000 threads, and as many connections, each a file.

    The twin does the same and leaks a share of its own size besides; both connect to one server.
    Where two hours meet, the files of both journals are open, and a worker's own figures are up to
    half a second old.
    """
    folder = soaked("keeps_everything", hours=2, hour_seconds=3, rate=500, twin=True)
    assert [hour.ended_because for hour in folder.hours()] == ["deadline", "deadline"]
    share = folder.campaign().twin_leak_share
    assert share == 0.05  # over 3000 workflows
    samples = [*folder.signals(0), *folder.signals(1)]
    whole = [one for one in samples if len(one.values) == max(len(one.values) for one in samples)]
    assert len(whole) > len(samples) / 2, [_missing(folder, hour) for hour in (0, 1)]
    begun, ended = whole[0], whole[-1]
    workflows = ended.workflows - begun.workflows
    assert workflows > 1500

    def grown(name: str) -> float:
        return ended.values[name] - begun.values[name]

    for who in ("target", "twin"):
        assert grown(f"{who}.threads") == pytest.approx(workflows / 1000, abs=1.5)
        assert grown(f"{who}.open_files") == pytest.approx(workflows * 11 / 1000, abs=10)
    assert grown("postgres.sessions") == pytest.approx(2 * workflows / 1000, abs=3)
    assert workflows <= grown("target.heap_blocks") < 5 * workflows
    planted = share * begun.values["twin.heap_blocks"] * workflows / 3000
    more = grown("twin.heap_blocks") - grown("target.heap_blocks")
    assert 0.4 * planted < more < 2.0 * planted
    assert grown("target.uss_bytes") > OBJECT_BYTES * workflows
    assert abs(grown("harness.keeper_open_files")) <= 1
    assert abs(grown("harness.keeper_threads")) <= 1
