"""Merges the shards of a run into a run folder like any other that has ended.

The shards are shares of the worker processes of one plan, so the files of all their workers
together are those of a run that one host would have played: nothing is averaged, and what follows
a run (metrics, verdicts, report, catalogue) reads the merged folder as it reads any. What is not
the same for one host and for several is the clock of the workers, the samples of resources and the
log of the supervisor; these are merged here. The folders of the shards stay as they are.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.loadgen.plan.level_job import kinds_of
from perf_pipeline.samples.journal import count_records
from perf_pipeline.samples.manifest import write_manifest
from perf_pipeline.samples.planned_levels import read_planned_levels, write_planned_levels
from perf_pipeline.samples.run_folder import RunFolder, write_json
from perf_pipeline.samples.run_record import COMPLETE, FAILED, INTERRUPTED
from perf_pipeline.samples.shards.sharded_run import ShardedRun, ShardRecord
from perf_pipeline.shards.differences import differences_of
from perf_pipeline.shards.merged_files import bring_logs
from perf_pipeline.shards.merged_level import merge_level
from perf_pipeline.shards.merged_progress import merge_progress
from perf_pipeline.shards.shard_order import order_file, read_order
from perf_pipeline.shards.shard_part import read_parts
from perf_pipeline.shards.start_lateness import start_late_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.shards.level_part import LevelPart
    from perf_pipeline.shards.shard_part import ShardPart

Levels = dict[str, tuple["LevelPart", ...]]

_MERGING = ".merging"


def merge_shards(run: Path) -> RunFolder:
    """Merge what the shards of a run left; again, where that was done before.

    It does not fail for a shard that is missing or died: the run is then failed, and what is
    missing is said. What its workers committed is part of the run.

    Args:
        run: The run's folder.

    Raises:
        RunFolderError: No shard began the run, one still runs, or their parts are not of one plan.
    """
    order = read_order(order_file(run))
    shards = read_parts(run, order.hosts)
    if not any(shard.record for shard in shards):
        whys = "; ".join(shard.why for shard in shards)
        raise RunFolderError(f"there is nothing to merge in {run}: {whys}")
    folder, merging = RunFolder(run), run / _MERGING
    shutil.rmtree(merging, ignore_errors=True)
    machines, kinds = _machines(shards), kinds_of(order.scenario, order.left_out)
    levels = {
        name: parts
        for name in order.plan_sha256
        if (parts := merge_level(shards, machines, name, merging, kinds))
    }
    merging.mkdir(exist_ok=True)
    shutil.rmtree(run / "levels", ignore_errors=True)
    merging.rename(run / "levels")
    for shard in shards:
        bring_logs(shard, run)
    merge_progress(shards, run)
    _merge_facts(folder, shards, levels)
    _write_record(folder, order.scenario.name, shards, levels, tuple(order.plan_sha256))
    return folder


def _machines(shards: Sequence[ShardPart]) -> list[list[int]]:
    by_boot: dict[str, list[int]] = {}
    for shard in shards:
        by_boot.setdefault(shard.boot_id or shard.host, []).append(shard.share.index)
    return list(by_boot.values())


def _merge_facts(folder: RunFolder, shards: Sequence[ShardPart], levels: Levels) -> None:
    """Write the manifest of the first shard that has one, with all shards, and its plan."""
    first = next((shard for shard in shards if shard.manifest is not None), None)
    if first is None or first.manifest is None:
        return
    sharded = ShardedRun(
        tuple(_shard_record(shard, levels) for shard in shards), differences_of(shards)
    )
    stopped = next((s.manifest.stopped for s in shards if s.manifest and s.manifest.stopped), None)
    write_manifest(folder, replace(first.manifest, sharded=sharded, stopped=stopped))
    write_planned_levels(folder, read_planned_levels(first.folder))


def _shard_record(shard: ShardPart, levels: Mapping[str, Sequence[LevelPart]]) -> ShardRecord:
    own = {name: part for name, parts in levels.items() for part in parts if part.shard is shard}
    late_ns, errors_ns, records = {}, [], 0
    for name, part in own.items():
        journals = (part.folder / f"worker-{worker}.sqlite" for worker in part.workers)
        records += sum(map(count_records, journals))
        errors_ns.append(part.clock_error_ns)
        go_ns = next((p.at_ns(p.log["go_ns"]) for p in levels[name] if p.log["go_ns"]), None)
        late = None if go_ns is None else start_late_ns(part, go_ns)
        if late is not None:
            late_ns[name] = late
    known = [error for error in errors_ns if error is not None]
    return ShardRecord(
        index=shard.share.index,
        host=shard.host,
        boot_id=shard.boot_id,
        facts=shard.manifest.host if shard.manifest else None,
        noise=shard.manifest.noise if shard.manifest else None,
        records=records,
        clock_error_ns=max(known) if known and len(known) == len(errors_ns) else None,
        start_late_ns=late_ns,
        why=shard.why,
    )


def _write_record(
    folder: RunFolder,
    scenario: str,
    shards: Sequence[ShardPart],
    levels: Levels,
    planned: Sequence[str],
) -> None:
    """Write ``run.json``: how the run ended."""
    broken = [shard for shard in shards if shard.why]
    broken.sort(key=lambda shard: shard.missed_another)  # the one that they missed is said first
    records = [shard.record for shard in shards if shard.record]
    statuses = {one.record["status"] if one.record else FAILED for one in broken}
    status = COMPLETE if not broken else INTERRUPTED if statuses == {INTERRUPTED} else FAILED
    ends = [one["ended_at"] for one in records if "ended_at" in one]
    stopped = next((one["stopped"] for one in records if "stopped" in one), None)
    write_json(
        folder.status_file,
        {
            "run_id": folder.run_id,
            "scenario": scenario,
            "status": status,
            "process": list(own_stamp()),
            "started_at": min(one["started_at"] for one in records),
            "ended_at": max(ends, default=datetime.now(UTC).isoformat()),
            "why": "; ".join(f"{one.why}; {_lacking(one, levels, planned)}" for one in broken),
            **({"stopped": stopped} if stopped else {}),
        },
    )


def _lacking(shard: ShardPart, levels: Levels, planned: Sequence[str]) -> str:
    """Return what is missing of a shard, in words."""
    own = {name: part for name, parts in levels.items() for part in parts if part.shard is shard}
    absent = [name for name in planned if name not in own]
    cut = [name for name, part in own.items() if not part.has_ended]
    share = shard.share
    whose = (
        f"every {share.count}. worker from {share.index} on" if share.count > 1 else "all workers"
    )
    parts = [f"all of level {name}" for name in absent]
    parts += [f"the end of level {name}" for name in cut]
    missing = ", ".join(parts) or "nothing of the load"
    return f"missing of its workers ({whose}): {missing}"
