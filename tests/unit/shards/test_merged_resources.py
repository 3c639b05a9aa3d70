"""Samples of several hosts: sums over hosts, gaps where one is missing, never a zero."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.metrics.resources.counters import rate_of
from perf_pipeline.metrics.resources.resource_samples import summed
from perf_pipeline.metrics.resources.resource_summary import resources_of
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.shards.level_part import LevelPart
from perf_pipeline.shards.merged_resources import ShardSamples, merged_samples, samples_of
from perf_pipeline.shards.shard_part import ShardPart

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000


def sample(
    at_s: float, cpu_s: float, *, pids: tuple[int, ...] = (7,), **more: Any
) -> dict[str, Any]:
    """A sample of workers that each have 1 MB and have used so much CPU time."""
    processes = [
        {"pid": pid, "cpu_s": cpu_s, "tree_cpu_s": cpu_s, "pss_bytes": 1_000_000} for pid in pids
    ]
    return {
        "at_ns": round(at_s * SECOND),
        "workers": processes,
        "children": [],
        "harness": [{"pid": 5, "cpu_s": cpu_s / 10, "pss_bytes": 500_000}],
        "servers": [],
        "host": {"busy_s": cpu_s},
        "connections": {},
        "counters": {},
        "traffic": {},
        "problems": {},
        "took_ms": 1.0,
        "cpu_ms": 0.5,
        **more,
    }


def shard(index: int, *samples: dict[str, Any]) -> ShardSamples:
    return ShardSamples(index, f"shard {index} (host gen-{index})", samples)


def merged(*shards: ShardSamples, one_machine: bool = False) -> list[dict[str, Any]]:
    return list(merged_samples(shards, one_machine=one_machine))


def test_memory_and_cores_are_sums_over_hosts_also_of_processes_with_one_id() -> None:
    """Containers have the same ids: 2 workers with 0.5 cores each are 1 core and 2 MB."""
    found = merged(*(shard(at, *(sample(t + at / 10, t / 2) for t in range(4))) for at in range(2)))
    assert summed(found, "workers", "pss_bytes") == [2_000_000] * 4
    assert rate_of(found, "workers", "tree_cpu_s") == pytest.approx(1.0)
    assert rate_of(found, "harness", "cpu_s") == pytest.approx(0.1)
    assert found[0]["cpu_ms"] == 1.0


def test_a_shard_without_a_sample_makes_a_gap_and_never_a_smaller_sum() -> None:
    """The second host died after its second sample."""
    found = merged(
        shard(0, *(sample(t, t / 2) for t in range(4))),
        shard(1, *(sample(t, t / 2) for t in range(2))),
    )
    assert summed(found, "workers", "pss_bytes") == [2_000_000] * 2
    used = resources_of(found)
    assert used.roles[0].pss_mean_mb == 2.0
    assert used.disk_read_mb is None
    gaps = [gap for gap in used.gaps if gap.what == "workers shard-1"]
    assert [(gap.reason, gap.samples) for gap in gaps] == [
        ("shard 1 (host gen-1) has no sample of that moment", 2)
    ]


def test_a_shard_that_left_nothing_leaves_no_figure() -> None:
    found = merged(shard(0, *(sample(t, t / 2) for t in range(4))), shard(1))
    assert len(found) == 4
    assert resources_of(found).workers_pss_peak_mb is None
    assert resources_of(found).workers_cpu_mean_percent is None


def test_the_counters_of_a_machine_are_merged_for_one_machine_alone() -> None:
    parts = [shard(at, sample(0, 1), sample(1, 2)) for at in range(2)]
    assert [one["host"] for one in merged(*parts, one_machine=True)] == [
        {"busy_s": 1},
        {"busy_s": 2},
    ]
    assert [one["host"] for one in merged(*parts)] == [None, None]


def test_a_server_is_counted_once_and_the_traffic_of_all_hosts_is_added_up() -> None:
    told = {"connections": {"redis": {"total": 4}}, "traffic": {"redis": {"sent_bytes": 10}}}
    silent = {
        "problems": {"connections redis": "timeout"},
        "traffic": {"redis": {"sent_bytes": 5}},
    }
    (both,) = merged(shard(0, sample(0, 1, **silent)), shard(1, sample(0, 1, **told)))
    assert both["connections"] == {"redis": {"total": 4}}
    assert "connections redis" not in both["problems"]
    assert both["traffic"] == {"redis": {"sent_bytes": 15}}
    for others in (shard(1, sample(0, 1)), shard(1)):
        (one,) = merged(shard(0, sample(0, 1, **told)), others)
        assert one["traffic"] == {}
        assert one["problems"]["not told: traffic redis"] == "not every shard counted it"


def test_a_process_that_could_not_be_read_is_missing_in_the_sum() -> None:
    unread = sample(0, 1, pids=(), problems={"workers 7": "it has ended"})
    found = merged(shard(0, sample(0, 1)), shard(1, unread))
    assert summed(found, "workers", "pss_bytes") == []
    (both,) = merged(shard(0, unread), shard(1, unread))
    assert both["problems"].keys() >= {"workers 7", f"workers {7 + 2**32}"}


def test_the_samples_of_a_shard_are_moved_into_the_clock_of_the_level(tmp_path: Path) -> None:
    """Two shards sampled the same moments, one with a clock that is 1000 s ahead."""
    parts = []
    for index, ahead_s in enumerate((0, 1000)):
        folder = tmp_path / str(index)
        folder.mkdir()
        lines = (json.dumps(sample(ahead_s + t, t / 2)) for t in range(3))
        (folder / "resources.jsonl").write_text("\n".join(lines))
        of_shard = ShardPart(Share(index, 2), "gen", RunFolder(folder), None, None, None)
        parts.append(LevelPart(of_shard, folder, {}, -ahead_s * SECOND))
    found = merged(*map(samples_of, parts))
    assert [one["at_ns"] for one in found] == [0, SECOND, 2 * SECOND]
    assert summed(found, "workers", "pss_bytes") == [2_000_000] * 3


def test_a_sample_is_merged_with_the_nearest_one_within_half_an_interval() -> None:
    """The other shard sampled 0.4 s later, and once 0.6 s later, which is nearer to the next."""
    own = [sample(t, 1, took_ms=2.0) for t in range(3)]
    other = [sample(0.4, 2, took_ms=3.0), sample(1.6, 3, took_ms=3.0)]
    found = merged(shard(0, *own), shard(1, *other))
    cpu_s = [[process["cpu_s"] for process in one["workers"]] for one in found]
    assert cpu_s == [[1, 2], [1], [1, 3]]
    assert [one["took_ms"] for one in found] == [3.0, 2.0, 3.0]


def test_without_the_first_shard_the_moments_are_those_of_the_second() -> None:
    found = merged(shard(0), shard(1, sample(0, 1), sample(1, 1)))
    assert [one["at_ns"] for one in found] == [0, SECOND]
    assert summed(found, "workers", "pss_bytes") == []


def test_the_children_of_all_and_the_servers_of_one_are_there() -> None:
    """Servers are sampled by the shard that found them; another one saw the same ones."""
    own = {"children": [{"pid": 9, "cpu_s": 1.0}], "servers": [{"pid": 2, "name": "redis"}]}
    (found,) = merged(*(shard(at, sample(0, 1, **own)) for at in range(2)), one_machine=True)
    assert len(found["children"]) == 2
    assert found["servers"] == own["servers"]
