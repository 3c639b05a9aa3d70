"""The twin leaks what the campaign claims to see, with each workflow at least one object."""

from __future__ import annotations

import pytest

from perf_pipeline.loadgen.endurance.twin_leak import CLAIMED_SHARE, PROCESS_BYTES, twin_leak_bytes


@pytest.mark.parametrize("workflows", [1_000, 6_000, 40_000])
def test_the_whole_campaign_leaks_the_share_that_is_claimed(workflows: int) -> None:
    """3.2 MB of 64 MB, however many workflows there are."""
    leaked = workflows * twin_leak_bytes(workflows)
    assert leaked == pytest.approx(CLAIMED_SHARE * PROCESS_BYTES, rel=0.01)


def test_a_long_campaign_leaks_a_small_object_each_time() -> None:
    """5 % over 8.64 million workflows would be less than half a byte each."""
    assert twin_leak_bytes(8_640_000) == 64
