"""Finishes a run in shards: merged, measured, reported, filed and recorded like any other run."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.monitoring.start_exporter import LAST_SCRAPES_S, outlast_exporter, start_exporter
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import RUNNING
from perf_pipeline.scenario_run import file_finished, record_finished, report_run
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_order import order_file, read_order, shard_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.finished_run import FinishedRun

END_WITHIN_S = 30.0
"""How long the last shard of a run that was stopped may take to end its target in order."""
_POLL_S = 0.2


def begun_shards(run: Path) -> dict[int, str]:
    """Return the status of each shard that has begun, by its index.

    Raises:
        RunFolderError: The order of the run, or the record of a shard, cannot be read.
    """
    folders = {
        index: RunFolder(shard_folder(run, index))
        for index in range(read_order(order_file(run)).count)
    }
    return {
        index: folder.read_status()["status"]
        for index, folder in folders.items()
        if folder.status_file.exists()
    }


def finish_shards(
    run: Path,
    settings: Settings,
    notify: Callable[[str], None],
    *,
    within_s: float = END_WITHIN_S,
) -> FinishedRun:
    """Merge the shards of a run that has ended, complete or not, and do what follows every run.

    One that was measured before has its entry in Dagster's history, and gets no second one.

    Args:
        run: Its folder.
        settings: Where the catalogue and the state are.
        notify: Called with a line for what could not be served, filed or recorded.
        within_s: How long to wait for a shard that still runs.

    Raises:
        RunFolderError: A shard still runs, or nothing of the run was measured.
    """
    order = read_order(order_file(run))
    _wait_for_running(run, order.hosts, within_s)
    is_again = RunFolder(run).metrics.exists()
    folder = merge_shards(run)
    with damage_named(folder):
        finished = report_run(folder)
    with _exporter(folder, order.scenario.name, settings, notify):
        if is_again:
            file_finished(finished.metrics, folder, settings, notify)
        else:
            record_finished(finished, folder, settings, notify)
    return finished


@contextmanager
def _exporter(
    folder: RunFolder, scenario: str, settings: Settings, notify: Callable[[str], None]
) -> Iterator[None]:
    """Serve the figures and the end of the merged run; a container ends after they were scraped."""
    exporter = None
    try:
        exporter = start_exporter(folder.root, scenario, settings)
    except OSError as error:
        notify(f"no metrics of the merged run: the exporter cannot be started: {error}")
    try:
        yield
    finally:
        if exporter is not None:
            outlast_exporter(exporter, LAST_SCRAPES_S)


def _wait_for_running(run: Path, hosts: tuple[str, ...], within_s: float) -> None:
    until_s = time.monotonic() + within_s
    while True:
        running = [index for index, status in begun_shards(run).items() if status == RUNNING]
        if not running:
            return
        if time.monotonic() >= until_s:
            named = ", ".join(f"{index} on {hosts[index]}" for index in running)
            raise RunFolderError(
                f"run {run.name} still goes on: shard {named}; merge it when it has ended"
            )
        time.sleep(_POLL_S)
