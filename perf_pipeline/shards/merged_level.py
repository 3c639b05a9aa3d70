"""A level of a run in shards, merged into a folder like that of any level."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perf_pipeline.host.level_calibration import FILE as CALIBRATION_FILE
from perf_pipeline.samples.run_folder import CONTROL, read_json, write_json
from perf_pipeline.samples.shards.clock_offsets import write_clock_offsets
from perf_pipeline.samples.shards.level_hosts import host_folder
from perf_pipeline.shards.level_part import LevelPart, level_parts, with_own_go
from perf_pipeline.shards.merged_files import bring_files
from perf_pipeline.shards.merged_log import merged_log
from perf_pipeline.shards.merged_resources import ShardSamples, merged_samples, samples_of
from perf_pipeline.shards.merged_writes import WRITES, merged_writes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.shards.shard_part import ShardPart
    from perf_pipeline.targets.target import Kind

_RESOURCES, _STATE = "resources.jsonl", "state.json"


def merge_level(
    shards: Sequence[ShardPart],
    machines: Sequence[Sequence[int]],
    name: str,
    levels: Path,
    kinds: Sequence[Kind],
) -> tuple[LevelPart, ...]:
    """Merge a level.

    Args:
        shards: All of the run.
        machines: The shards of each machine, by index.
        name: Name of the level's folder.
        levels: Where it is made.
        kinds: Every kind of workflow of the run.

    Returns:
        Its parts; none where no shard began it, of which then no folder is made.

    Raises:
        RunFolderError: The parts do not belong together, or a file of one is damaged.
    """
    parts = level_parts(shards, name)
    if not parts:
        return ()
    folder = levels / name
    folder.mkdir(parents=True)
    go_ns = _merge_load(parts, shards, folder)
    _merge_monitored(parts, shards, machines, folder)
    write_json(folder / WRITES, merged_writes(shards, parts, folder, kinds))
    controls = level_parts(shards, f"{name}/{CONTROL}")
    if controls and go_ns is not None:
        (folder / CONTROL).mkdir()
        own_go_ns = next((one.log["go_ns"] for one in controls if one.log["go_ns"]), go_ns)
        _merge_load(with_own_go(controls, own_go_ns), shards, folder / CONTROL)
    return parts


def _merge_load(
    parts: Sequence[LevelPart], shards: Sequence[ShardPart], folder: Path
) -> int | None:
    """Merge what workers and supervisors left; returns the go of the level."""
    bring_files(parts, folder)
    write_clock_offsets(
        folder, {worker: part.offset_ns for part in parts for worker in part.workers}
    )
    log = merged_log(parts, shards)
    write_json(folder / "level.json", log)
    go_ns: int | None = log["go_ns"]
    return go_ns


def _merge_monitored(
    parts: Sequence[LevelPart],
    shards: Sequence[ShardPart],
    machines: Sequence[Sequence[int]],
    folder: Path,
) -> None:
    """Merge samples of resources, calibrations, and the state of the servers before."""
    by_index = {part.shard.share.index: part for part in parts}
    sampled = [
        samples_of(by_index[shard.share.index])
        if shard.share.index in by_index
        else ShardSamples(shard.share.index, shard.name, [])
        for shard in shards
    ]
    one_machine = len(machines) == 1
    _write_lines(folder / _RESOURCES, sampled, one_machine=one_machine)
    _write_calibrations(folder, parts)
    if not one_machine:
        for place, indices in enumerate(machines):
            own = host_folder(folder, place)
            own.mkdir(parents=True)
            _write_lines(own / _RESOURCES, [sampled[index] for index in indices], one_machine=True)
            _write_calibrations(own, [by_index[index] for index in indices if index in by_index])
    states = [path for part in parts if (path := part.folder / _STATE).exists()]
    if states:
        write_json(folder / _STATE, read_json(states[0]))


def _write_lines(path: Path, shards: Sequence[ShardSamples], *, one_machine: bool) -> None:
    lines = [json.dumps(one) + "\n" for one in merged_samples(shards, one_machine=one_machine)]
    path.write_text("".join(lines), encoding="utf-8")


def _write_calibrations(folder: Path, parts: Sequence[LevelPart]) -> None:
    """Write the calibration of the shard that waited most for a core; those of all beside it."""
    found = {
        str(part.shard.share.index): read_json(part.folder / CALIBRATION_FILE)
        for part in parts
        if (part.folder / CALIBRATION_FILE).exists()
    }
    if found:
        noisiest = max(found.values(), key=_waited)
        beside = {"shards": found} if len(found) > 1 else {}
        write_json(folder / CALIBRATION_FILE, {**noisiest, **beside})


def _waited(calibrations: Mapping[str, Any]) -> float:
    rounds = [calibrations.get(when) for when in ("before", "after")]
    return max((float(one["waited_ratio"]) for one in rounds if one), default=0.0)
