"""Removes what killed processes left behind, and records what remains of killed runs."""

from __future__ import annotations

import os
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
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import KILLED, NOT_SEEN
from perf_pipeline.servers.lifecycle.leftovers import clear_leftovers
from perf_pipeline.servers.monitors.monitor import PRODUCTS

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.samples.run_folder import RunFolder


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
    runs = read_runs(settings.results_dir)
    for one in runs.found:
        try:
            lines += _mark_if_killed(one.folder)
        except RunFolderError as error:
            lines.append(f"run {one.folder.run_id} is damaged and was not changed: {error}")
    return [*lines, *(f"not changed: {sentence}" for sentence in runs.passed_over)]


def _mark_if_killed(folder: RunFolder) -> list[str]:
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
    return [*lines, f"run {folder.run_id} was killed; {_rescue(folder)}"]


def _rescue(folder: RunFolder) -> str:
    try:
        with damage_named(folder):
            files = write_files(folder, metrics_of(folder))
    except RunFolderError as error:
        return f"nothing of it was measured ({error})"
    return f"what was measured is in {files.html}"
