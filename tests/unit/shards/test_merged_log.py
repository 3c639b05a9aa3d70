"""The log of a level in shards: what all of them were in, and the worst that happened to any."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.shards.level_part import LevelPart
from perf_pipeline.shards.merged_log import merged_log
from perf_pipeline.shards.shard_part import ShardPart
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, at_s, write_level

COUNT = 3


def shard_of(index: int) -> ShardPart:
    return ShardPart(Share(index, COUNT), f"gen-{index}", RunFolder(Path("none")), None, None, None)


def part(index: int, *, offset_ns: int = 0, **log: Any) -> LevelPart:
    """A part of a level of 6 workers that has ended well, in a clock of its own."""
    ended = {
        "plan": {"processes": 6},
        "started_at": f"2026-01-14T09:30:1{index}",
        "ended_at": f"2026-01-14T09:40:1{index}",
        "go_ns": 100 - offset_ns,
        "phases_ns": {},
        "ended_because": "complete",
        "ended_detail": "",
        "limits": f"limit of {index}",
        "workers": [{"worker": worker} for worker in (index, index + COUNT)],
        **log,
    }
    return LevelPart(shard_of(index), Path("none"), ended, offset_ns)


def merged(*parts: LevelPart, lost: tuple[int, ...] = ()) -> dict[str, Any]:
    return merged_log(parts, [*(one.shard for one in parts), *map(shard_of, lost)])


def phases(*bounds: tuple[int, int]) -> dict[str, Any]:
    return dict(zip(("ramp_up", "warm_up", "steady"), map(list, bounds), strict=False))


def test_a_phase_begins_when_all_are_in_it_and_the_steady_one_ends_with_the_first() -> None:
    """The clock of the second shard is 1000 ns behind; in one clock its phases are 3 ns later."""
    log = merged(
        part(0, phases_ns=phases((100, 110), (110, 120), (120, 140))),
        part(1, offset_ns=1000, phases_ns=phases((-897, -887), (-887, -877), (-877, -867))),
    )
    assert log["go_ns"] == 100
    assert log["phases_ns"] == {"ramp_up": (103, 113), "warm_up": (113, 123), "steady": (123, 133)}


def test_without_a_time_in_which_all_were_steady_there_is_no_steady_phase() -> None:
    """The second shard was ended in its warm-up; one that began no load is not waited for."""
    whole, ended = phases((100, 110), (110, 120), (120, 140)), phases((100, 110), (110, 115))
    no_load = part(2, phases_ns={}, go_ns=None)
    found = merged(part(0, phases_ns=whole), part(1, phases_ns=ended), no_load)["phases_ns"]
    assert found.keys() == {"ramp_up", "warm_up"}
    apart = merged(part(0, phases_ns=whole), part(1, offset_ns=500, phases_ns=whole))
    assert apart["phases_ns"]["steady"] == (620, 620)
    assert merged(part(0, phases_ns=whole), no_load)["phases_ns"]["steady"] == (120, 140)


@pytest.mark.parametrize("because", EndedBecause)
def test_what_ended_one_shard_early_ended_the_level(because: EndedBecause) -> None:
    well, early = part(0), part(1, ended_because=because.value, ended_detail="as planted")
    for parts in ((well, early), (early, well)):
        log = merged(*parts)
        assert log["ended_because"] == because
        assert log["ended_detail"] == "shard 1 (host gen-1): as planted"
        assert [one["worker"] for one in log["workers"]] == [0, 1, 3, 4]


def test_a_shard_that_left_no_part_has_lost_its_workers() -> None:
    log = merged(part(0), part(2), lost=(1,))
    assert log["ended_because"] == EndedBecause.WORKER_LOST
    assert "shard 1 (host gen-1) did not begin" in log["ended_detail"]
    reasons = {one["worker"]: one.get("reason", "") for one in log["workers"]}
    assert list(reasons) == [0, 1, 2, 3, 4, 5]
    assert {worker for worker, reason in reasons.items() if "gen-1" in reason} == {1, 4}


def test_a_shard_that_was_killed_was_steady_until_the_first_of_its_workers_last_commits(
    tmp_path: Path,
) -> None:
    """Its workers are 1 and 4, which committed 5 and 3 s after the go; 2 is another shard's."""
    ends_s = (9, 5, 1, 9, 3)
    rows = [SimulatedWorker([at_s(worker, 0.5, end_s)]) for worker, end_s in enumerate(ends_s)]
    write_level(tmp_path, rows, slots=1)
    go_ns, end_ns = GO_NS, GO_NS + 9 * SECOND
    well = part(0, go_ns=go_ns, phases_ns={"steady": [go_ns, end_ns]})
    killed = part(
        1,
        go_ns=go_ns,
        phases_ns={"steady": [go_ns, None]},
        ended_at="",
        ended_because="interrupted",
        workers=[],
    )
    log = merged(well, replace(killed, folder=tmp_path))
    assert log["phases_ns"]["steady"] == (go_ns, go_ns + 3 * SECOND)
    assert log["ended_because"] == EndedBecause.WORKER_LOST
    assert log["ended_detail"].startswith("shard 1 (host gen-1) ")
    assert [one["worker"] for one in log["workers"]] == [0, 1, 3, 4]


def test_a_level_lasts_from_the_first_begin_to_the_last_end_under_the_limits_of_all() -> None:
    log = merged(part(1), part(0), part(2))
    assert log["started_at"] == "2026-01-14T09:30:10"
    assert log["ended_at"] == "2026-01-14T09:40:12"
    assert log["limits"] == "limit of 1; limit of 0; limit of 2"
