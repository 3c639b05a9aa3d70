"""The log of a level of which each shard has its own, as if one supervisor had written it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.journal import last_commit_ns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.shards.level_part import LevelPart
    from perf_pipeline.shards.shard_part import ShardPart

WORST_FIRST = (
    EndedBecause.INTERRUPTED,
    EndedBecause.START_FAILED,
    EndedBecause.WORKER_LOST,
    EndedBecause.DISK_FULL,
    EndedBecause.HOST_FLOOR,
    EndedBecause.SLO_ABORTED,
    EndedBecause.MOSTLY_FAILING,
    EndedBecause.TOTAL_WORKFLOWS,
    EndedBecause.STEADY_MAX,
    EndedBecause.COMPLETE,
)

Bounds = tuple[int, int | None]


def merged_log(parts: Sequence[LevelPart], shards: Sequence[ShardPart]) -> dict[str, Any]:
    """Return the ``level.json`` of a level.

    Its steady phase is the time in which all parts were in theirs; of one whose supervisor was
    killed it ends with the first of its workers' last commits.

    Args:
        parts: At least one, in one clock.
        shards: All of the run; the workers of one that left nothing of the level are listed as
            missing.
    """
    first = parts[0].log
    gos = [part.at_ns(part.log["go_ns"]) for part in parts if part.log["go_ns"] is not None]
    lost = [shard for shard in shards if shard not in [part.shard for part in parts]]
    broken = [part.shard for part in parts if not part.has_ended]
    reasons = {EndedBecause(part.log["ended_because"]) for part in parts if part.has_ended}
    if lost or broken:
        reasons.add(EndedBecause.WORKER_LOST)
    details = [shard.why or f"{shard.name} left nothing of it" for shard in (*lost, *broken)]
    details += [
        f"{part.shard.name}: {part.log['ended_detail']}"
        for part in parts
        if part.has_ended and part.log["ended_detail"]
    ]
    return {
        **first,
        "started_at": min(part.log["started_at"] for part in parts),
        "ended_at": max(part.log["ended_at"] for part in parts),
        "go_ns": gos[0] if gos else None,
        "phases_ns": _merged_phases(parts),
        "ended_because": min(reasons, key=WORST_FIRST.index),
        "ended_detail": "; ".join(details),
        "limits": "; ".join(dict.fromkeys(part.log["limits"] for part in parts)),
        "workers": sorted(_workers(parts, lost), key=lambda entry: int(entry["worker"])),
    }


def _workers(parts: Sequence[LevelPart], lost: Sequence[ShardPart]) -> Iterator[dict[str, Any]]:
    """Yield how each worker of the level ended, also those of which nothing is there."""
    processes = parts[0].log["plan"]["processes"]
    for part in parts:
        yield from part.log["workers"]
        if not part.log["workers"]:
            yield from (_missing(worker, part.shard) for worker in part.workers)
    for shard in lost:
        yield from (_missing(worker, shard) for worker in shard.share.workers(processes))


def _missing(worker: int, shard: ShardPart) -> dict[str, Any]:
    reason = shard.why or f"{shard.name} did not log how it ended"
    return {"worker": worker, "pid": 0, "reason": reason, "left_behind": {}}


def _merged_phases(parts: Sequence[LevelPart]) -> dict[str, Bounds]:
    """Return the bounds of each phase that all parts reached which began the load."""
    loaded = [part for part in parts if part.log["phases_ns"]]
    names = list(dict.fromkeys(name for part in loaded for name in part.log["phases_ns"]))
    phases: dict[str, Bounds] = {}
    for name in names:
        bounds = [_bounds(part, name) for part in loaded if name in part.log["phases_ns"]]
        begin_ns = max(begin for begin, _ in bounds)
        ends = [end for _, end in bounds if end is not None]
        if name == "steady" and len(bounds) < len(loaded):
            continue  # one part never reached it: there was no time in which all were in it
        if name == "steady" and ends:
            phases[name] = begin_ns, max(begin_ns, min(ends))
        else:
            phases[name] = begin_ns, max([begin_ns, *ends]) if len(ends) == len(bounds) else None
    return phases


def _bounds(part: LevelPart, name: str) -> Bounds:
    begin_ns, end_ns = part.log["phases_ns"][name]
    if end_ns is None and name == "steady":
        commits = (
            last_commit_ns(part.folder / f"worker-{worker}.sqlite") for worker in part.workers
        )
        end_ns = max(begin_ns, min(commits))
    return part.at_ns(begin_ns), None if end_ns is None else part.at_ns(end_ns)
