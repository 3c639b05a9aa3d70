"""The resource samples of a level that several hosts sampled, as if one monitor had.

A merged sample holds what all shards sampled within half an interval of the same moment: their
processes side by side, so that sums over a role are sums over hosts. A shard without a sample of
that moment makes a gap in every sum, never a zero. Figures of a whole machine belong to one
machine: they are merged for the shards of one machine alone.
"""

from __future__ import annotations

import statistics
from bisect import bisect
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.resources.network.traffic_summary import TRAFFIC
from perf_pipeline.metrics.resources.resource_samples import NOT_COUNTED, read_samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample
    from perf_pipeline.shards.level_part import LevelPart

ROLES = ("workers", "children", "harness")
_SERVER = ("connections", "counters")
_PID_BITS = 32
"""Ids of processes are below 2**22: those of a shard lie above those of all shards before it."""

_OTHER_MACHINES = "each machine has its own: its folder in hosts/ has them"


@dataclass(frozen=True)
class ShardSamples:
    """The samples of a shard in the clock of the level; none where it left no part of it."""

    index: int
    name: str
    samples: Sequence[Sample]


def samples_of(part: LevelPart) -> ShardSamples:
    """Return the samples of a part of a level."""
    own = read_samples(part.folder / "resources.jsonl", 0, 2**63 - 1)
    moved = [{**sample, "at_ns": part.at_ns(sample["at_ns"])} for sample in own]
    return ShardSamples(part.shard.share.index, part.shard.name, moved)


def merged_samples(shards: Sequence[ShardSamples], *, one_machine: bool) -> Iterator[Sample]:
    """Yield the merged samples, at the moments of the first shard that has any.

    Args:
        shards: Of the level.
        one_machine: All of them are on one machine, whose counters each has read.
    """
    if len(shards) == 1:
        yield from shards[0].samples
        return
    base = next((shard.samples for shard in shards if shard.samples), [])
    times = {shard.index: [sample["at_ns"] for sample in shard.samples] for shard in shards}
    within_ns = _half_interval_ns([sample["at_ns"] for sample in base])
    for sample in base:
        at_ns = sample["at_ns"]
        found = {shard.index: _nearest(shard, times[shard.index], at_ns) for shard in shards}
        near = {
            index: one
            for index, one in found.items()
            if one is not None and abs(one["at_ns"] - at_ns) <= within_ns
        }
        absent = [shard for shard in shards if shard.index not in near]
        yield _merged(at_ns, near, absent, one_machine=one_machine)


def _half_interval_ns(times_ns: Sequence[int]) -> float:
    if len(times_ns) < 2:  # noqa: PLR2004 an interval needs two
        return 0.5e9
    gaps = [after - before for before, after in pairwise(times_ns)]
    return statistics.median(gaps) / 2


def _nearest(shard: ShardSamples, times_ns: Sequence[int], at_ns: int) -> Sample | None:
    place = bisect(times_ns, at_ns)
    around = shard.samples[max(0, place - 1) : place + 1]
    return min(around, key=lambda one: abs(one["at_ns"] - at_ns), default=None)


def _merged(
    at_ns: int,
    near: Mapping[int, Sample],
    absent: Sequence[ShardSamples],
    *,
    one_machine: bool,
) -> Sample:
    """Return one sample of all shards."""
    problems: dict[str, str] = {}
    for index, sample in near.items():
        problems |= {_probe(what, index): why for what, why in sample["problems"].items()}
    for shard in absent:
        why = f"{shard.name} has no sample of that moment"
        problems |= {f"{role} shard-{shard.index}": why for role in ROLES}
    first = next(iter(near.values()))
    line: dict[str, Any] = {
        "at_ns": at_ns,
        **{role: list(_processes(near, role)) for role in ROLES},
        "servers": next((one["servers"] for one in near.values() if one["servers"]), []),
        "host": first["host"] if one_machine else None,
        **{what: _by_server(near, what) for what in _SERVER},
        TRAFFIC: _traffic(near, absent, problems),
        "problems": problems,
    }
    if not one_machine:
        problems[f"{NOT_COUNTED}host"] = _OTHER_MACHINES
    answered = {f"{what} {server}" for what in _SERVER for server in line[what]}
    for probe in answered & problems.keys():
        del problems[probe]  # another shard had an answer of the same server
    if all("took_ms" in one and "cpu_ms" in one for one in near.values()):
        line["took_ms"] = max(one["took_ms"] for one in near.values())
        line["cpu_ms"] = round(sum(one["cpu_ms"] for one in near.values()), 3)
    return line


def _probe(what: str, index: int) -> str:
    """Return the name of a probe of a shard: an id of a process in it becomes that of all."""
    return " ".join(str(_pid(int(w), index)) if w.isdecimal() else w for w in what.split(" "))


def _pid(pid: int, index: int) -> int:
    return pid + (index << _PID_BITS)


def _processes(near: Mapping[int, Sample], role: str) -> Iterator[dict[str, Any]]:
    """Yield the processes of a role in the order of the workers, dealt out to shards by stride."""
    of_shards = (
        [{**process, "pid": _pid(process["pid"], index)} for process in sample.get(role, ())]
        for index, sample in near.items()
    )
    for turn in zip_longest(*of_shards):
        yield from (process for process in turn if process is not None)


def _by_server(near: Mapping[int, Sample], what: str) -> dict[str, Any]:
    """Return what each server says of itself: it is the same for all that ask it."""
    found: dict[str, Any] = {}
    for sample in near.values():
        found = {**(sample.get(what) or {}), **found}
    return found


def _traffic(
    near: Mapping[int, Sample], absent: Sequence[ShardSamples], problems: dict[str, str]
) -> dict[str, Any]:
    """Add up what went between each shard's target and the servers; a gap if one did not count."""
    read = [sample.get(TRAFFIC) or {} for sample in near.values()]
    total: dict[str, Any] = {}
    for server in dict.fromkeys(name for one in read for name in one):
        own = [one[server] for one in read if server in one]
        if absent or len(own) < len(read):
            problems.setdefault(f"{NOT_COUNTED}{TRAFFIC} {server}", "not every shard counted it")
            continue
        total[server] = {
            name: "; ".join(dict.fromkeys(filter(None, (one[name] for one in own))))
            if isinstance(value, str)
            else sum(one[name] for one in own)
            for name, value in own[0].items()
        }
    return total
