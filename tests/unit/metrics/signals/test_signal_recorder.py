"""What is sampled in an hour is in its files, also what its samples lack."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perf_pipeline.metrics.signals.signal_recorder import TARGET, Boot, SignalRecorder
from perf_pipeline.samples.campaign.campaign_clock import CampaignClock
from perf_pipeline.samples.campaign.missing_signals import read_missing
from perf_pipeline.samples.campaign.signal_sample import read_samples
from perf_pipeline.samples.slots import (
    HEAP_BLOCKS,
    MALLOC_BYTES,
    MALLOC_FREE_BYTES,
    WORKFLOWS,
    SlotFile,
)

if TYPE_CHECKING:
    from pathlib import Path

BEGUN_NS = 5_000_000_000


def test_an_hour_has_what_its_workers_write_and_counts_what_they_have_not_written_yet(
    tmp_path: Path,
) -> None:
    """Two workers: until both have written their heap there is no sum of the two.

    One has a C library that does not count what it hands out: then the two have no sum of that.
    """
    paths = [tmp_path / "one.slots", tmp_path / "two.slots"]
    one, two = (SlotFile.create(path, 1, 0) for path in paths)
    boot = Boot([os.getpid(), os.getpid()], paths, [tmp_path])
    clock = CampaignClock(BEGUN_NS)
    with SignalRecorder(tmp_path, clock, {TARGET: boot}, {}, os.getppid()) as recorder:
        one.words[HEAP_BLOCKS], one.words[WORKFLOWS] = 40_000, 7
        one.words[MALLOC_BYTES] = 3_000_000
        one.words[MALLOC_FREE_BYTES] = 500_000
        recorder.sample(BEGUN_NS + 1_000_000_000)
        two.words[HEAP_BLOCKS], two.words[WORKFLOWS] = 2_000, 5
        two.words[MALLOC_FREE_BYTES] = 250_000
        recorder.sample(BEGUN_NS + 31_000_000_000)
    first, second = read_samples(tmp_path / "signals.jsonl")
    assert (first.seconds, first.workflows) == (1, 7)
    assert (second.seconds, second.workflows) == (31, 12)
    assert "target.heap_blocks" not in first.values
    assert second.values["target.heap_blocks"] == 42_000
    assert second.values["target.malloc_free_bytes"] == 750_000
    assert "target.malloc_bytes" not in second.values
    missing = read_missing(tmp_path / "signals_missing.json")
    assert missing.samples == 2
    assert {name: found.samples for name, found in missing.missing.items()} == {
        "target.heap_blocks": 1,
        "target.malloc_bytes": 2,
        "target.malloc_free_bytes": 1,
    }
    for slots in (one, two):
        slots.close()


def test_an_hour_that_lacks_nothing_has_no_file_that_says_so(tmp_path: Path) -> None:
    slots = SlotFile.create(tmp_path / "one.slots", 1, 0)
    slots.words[HEAP_BLOCKS] = slots.words[MALLOC_BYTES] = slots.words[MALLOC_FREE_BYTES] = 1
    boot = Boot([os.getpid()], [tmp_path / "one.slots"], [tmp_path])
    with SignalRecorder(
        tmp_path, CampaignClock(BEGUN_NS), {TARGET: boot}, {}, os.getppid()
    ) as recorder:
        recorder.sample(BEGUN_NS)
    slots.close()
    assert not (tmp_path / "signals_missing.json").exists()
