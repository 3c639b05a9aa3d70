"""How late a shard started its first workflow, by a plan and records that are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.samples.run_folder import INTENDED, RunFolder
from perf_pipeline.shards.level_part import LevelPart
from perf_pipeline.shards.shard_part import ShardPart
from perf_pipeline.shards.start_lateness import start_late_ns
from tests.simulated_level import GO_NS, Row, SimulatedWorker, write_level

if TYPE_CHECKING:
    from collections.abc import Iterable

MS = 1_000_000
SHARD = ShardPart(Share(0, 2), "gen-a", RunFolder(Path("none")), None, None, None)


def part(folder: Path, loop: str, workers: list[list[Row]], offset_ns: int = 0) -> LevelPart:
    """The first of two shards, which has the workers 0 and 2; 1 is in the folder as well."""
    write_level(folder, [SimulatedWorker(rows) for rows in workers], slots=2)
    return LevelPart(SHARD, folder, {"plan": {"processes": 3, "loop": loop}}, offset_ns)


def late(number: int, at_ms: float, slot: int = 0) -> Row:
    start_ns = GO_NS + round(at_ms * MS)
    return Row(number, start_ns, start_ns + MS, slot)


def write_ns(path: Path, times_ms: Iterable[float]) -> None:
    np.array([at * MS for at in times_ms], "<i8").tofile(path)


@pytest.mark.parametrize("offset_ms", [0, 3, -3])
def test_of_a_closed_level_it_is_the_least_lateness_to_the_ramp(
    tmp_path: Path, offset_ms: int
) -> None:
    """Slots are 9 and 7 ms late, and 5 ms in the third worker; a cold start came before the go."""
    rows = [
        [late(-1, -500), late(0, 9), late(3, 1007, slot=1), late(6, 1900)],
        [late(1, 1)],
        [late(2, 2005)],
    ]
    level = part(tmp_path, "closed", rows, offset_ms * MS)
    for worker, ramp_ms in enumerate([(0, 1000), (0, 0), (2000, 3000)]):
        write_ns(tmp_path / f"worker-{worker}.ramp", ramp_ms)
    assert start_late_ns(level, GO_NS) == (5 + offset_ms) * MS


def test_of_an_open_level_it_is_the_least_lateness_to_the_schedule(tmp_path: Path) -> None:
    """Arrivals are due every 10 ms; the third worker was 4 ms late, the first one 6 ms."""
    rows = [[late(0, 6), late(3, 38, slot=1)], [late(1, 10)], [late(5, 54, slot=1)]]
    level = part(tmp_path, "open", rows)
    write_ns(tmp_path / INTENDED, range(0, 60, 10))
    assert start_late_ns(level, GO_NS) == 4 * MS


def test_what_started_nothing_has_no_lateness(tmp_path: Path) -> None:
    level = part(tmp_path, "closed", [[late(-1, -500)], [late(1, 1)], []])
    assert start_late_ns(level, GO_NS) is None
