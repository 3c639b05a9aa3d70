"""Removes what killed processes left behind, and records what remains of killed runs."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import RunFolderError
from perf_pipeline.faults.sweep import sweep
from perf_pipeline.host.scratch import remove_abandoned_scratch
from perf_pipeline.loadgen.limits.control_group import remove_leftovers
from perf_pipeline.loadgen.supervise.left_behind import end_left_behind
from perf_pipeline.report.run.files import write_files
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.disk_space import give_back
from perf_pipeline.samples.run_folder import RunFolder, read_json
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import KILLED, MAY_GO_ON, NOT_SEEN
from perf_pipeline.samples.shards.shard_folders import ORDER, is_unmerged
from perf_pipeline.servers.lifecycle.leftovers import clear_leftovers
from perf_pipeline.servers.monitors.monitor import PRODUCTS
from perf_pipeline.shards.finish_shards import begun_shards, finish_shards
from perf_pipeline.shards.shard_order import shard_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.config.settings import Settings


def clear(settings: Settings) -> list[str]:
    """Remove servers, folders and data of dead processes; mark and report killed runs.

    Returns:
        One line for each thing that was done, or that could not be done.
    """
    lines = sweep(settings)  # before the servers that were faulted are looked at
    cleared = clear_leftovers(settings, (*SERVICES, *PRODUCTS))
    lines += [*cleared.removed, *cleared.problems]
    lines += [f"control group {name}" for name in remove_leftovers()]
    lines += [
        f"{folder}, the files of a run that was killed"
        for folder in remove_abandoned_scratch(settings.temp_dir)
    ]
    for order in sorted(settings.results_dir.glob(f"*/{ORDER}")):
        try:
            lines += _merge_if_ended(order, settings)
        except RunFolderError as error:
            lines.append(f"the shards of {order.parents[1]} were not changed: {error}")
    runs = read_runs(settings.results_dir)
    for one in runs.found:
        try:
            lines += _mark_if_killed(one.folder, _rescue)
        except RunFolderError as error:
            lines.append(f"run {one.folder.run_id} is damaged and was not changed: {error}")
    return [*lines, *(f"not changed: {sentence}" for sentence in runs.passed_over)]


def _merge_if_ended(order: Path, settings: Settings) -> list[str]:
    """Mark the shards of a run that were killed; merge them if nobody has, and none goes on."""
    run, lines = order.parents[1], []
    for index in begun_shards(run):
        shard = RunFolder(shard_folder(run, index))
        lines += _mark_if_killed(shard, partial(_named_shard, index))
    begun = begun_shards(run)
    if not begun or not is_unmerged(run) or any(one in MAY_GO_ON for one in begun.values()):
        return lines
    report = finish_shards(run, settings, lines.append).report
    return [*lines, f"the shards of run {run.name} were merged; their report is {report.html}"]


def _named_shard(index: int, _shard: RunFolder) -> str:
    return f"it was shard {index}"


def _mark_if_killed(folder: RunFolder, rescue: Callable[[RunFolder], str]) -> list[str]:
    """Record that a run was killed, unless its status shows it already; end its processes."""
    record = folder.read_status()
    if record["status"] == NOT_SEEN:
        return [f"run {folder.run_id} is not seen from here and was not changed: {record['why']}"]
    if record["status"] != KILLED or read_json(folder.status_file)["status"] == KILLED:
        return []
    if folder.root.lstat().st_uid != os.geteuid():
        return [f"run {folder.run_id} was killed; it belongs to another user and was not changed"]
    give_back(folder.root)
    folder.end(KILLED, record["why"])
    left = end_left_behind(folder.root / "levels")
    lines = [f"process {pid}, which run {folder.run_id} had started" for pid in left]
    return [*lines, f"run {folder.run_id} was killed; {rescue(folder)}"]


def _rescue(folder: RunFolder) -> str:
    try:
        with damage_named(folder):
            files = write_files(folder, metrics_of(folder))
    except RunFolderError as error:
        return f"nothing of it was measured ({error})"
    return f"what was measured is in {files.html}"
