"""Lines on the runs that go on, were killed, or have shards that nobody has merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_record import KILLED, MAY_GO_ON
from perf_pipeline.samples.shards.shard_folders import unmerged_runs
from perf_pipeline.shards.finish_shards import begun_shards
from perf_pipeline.shards.shard_order import order_file, read_order

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_list import Runs
    from perf_pipeline.samples.run_record import RunRecord

_NOT_BEGUN = "not begun"


def open_runs(runs: Runs) -> list[RunRecord]:
    """Return the records of the runs that go on, may go on, or were killed."""
    records = [one.record for one in runs.found]
    return [record for record in records if record["status"] in (*MAY_GO_ON, KILLED)]


def open_shards(results: Path) -> dict[str, list[str]]:
    """Return the status of each shard of the runs that are not merged yet, by the run's id.

    A run whose order or shards cannot be read has the reason in place of them.
    """
    return {run.name: _shards(run) for run in unmerged_runs(results)}


def open_lines(runs: list[RunRecord], shards: dict[str, list[str]], results: Path) -> list[str]:
    """Return a line for each of ``open_runs`` and ``open_shards``, or one that there is none.

    Args:
        runs: Of ``open_runs``.
        shards: Of ``open_shards``.
        results: The results folder.
    """
    lines = [f"run {run['run_id']}: {run['status']} {run.get('why', '')}" for run in runs]
    for run_id, found in shards.items():
        states = ", ".join(f"{index} {status}" for index, status in enumerate(found))
        lines.append(f"run {run_id}, in shards: {states}")
    return lines or [f"no run goes on or was killed in {results}"]


def _shards(run: Path) -> list[str]:
    try:
        begun = begun_shards(run)
        count = read_order(order_file(run)).count
    except RunFolderError as error:
        return [f"cannot be read: {error}"]
    return [begun.get(index, _NOT_BEGUN) for index in range(count)]
