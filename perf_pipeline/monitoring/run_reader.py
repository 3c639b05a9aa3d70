"""Reads a run's folder as it grows, and returns every value that its files hold by now.

The files are those from which the terminal's progress and the report are made, so that all three
show the same numbers. Nothing of the run is changed, and nothing is asked of its processes.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.monitoring.ended_values import run_values
from perf_pipeline.monitoring.fault_values import fault_values
from perf_pipeline.monitoring.level_reading import LevelReading
from perf_pipeline.monitoring.metric_registry import MAX_SERIES
from perf_pipeline.monitoring.resource_values import disk_values, pressure_values, resource_values
from perf_pipeline.monitoring.sample import Sample
from perf_pipeline.samples.fault_log import read_faults
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.run_record import COMPLETE, MAY_GO_ON, RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.samples.manifest import Manifest
    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.samples.run_record import RunRecord

_Found = TypeVar("_Found")

_TAIL_BYTES = 1 << 20
"""The last line of a file is looked for in so much of its end; a sample has some 10 kB."""
_FIXED_SERIES = 400
"""Series of a run beside those of its levels' workflows."""


class RunReader:
    """What is known of a run by now.

    Attributes:
        record: The content of ``run.json``, with the status that the run has by now; None before
            it has begun.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        wall_s: Callable[[], float] = time.time,
        proc: Path = Path("/proc"),
    ) -> None:
        """Read nothing yet.

        Args:
            folder: The run's; need not be there yet.
            clock_ns: CLOCK_MONOTONIC.
            wall_s: Seconds of the epoch.
            proc: Where the kernel tells of pressure.
        """
        self.record: RunRecord | None = None
        self._folder = folder
        self._clock_ns, self._wall_s = clock_ns, wall_s
        self._proc = proc
        self._levels: dict[str, LevelReading] = {}
        self._manifest: Manifest | None = None
        self._ended: list[Sample] = []
        self._unreadable: set[str] = set()
        self._read_s = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing of the run will change any more: it is measured, or its process gone."""
        status = self.record["status"] if self.record else RUNNING
        return bool(self._ended) or status not in (*MAY_GO_ON, COMPLETE)

    def read(self) -> None:
        """Read what is new."""
        self._read_s = self._wall_s()
        if (record := self._tried("run.json", self._folder.read_status)) is not None:
            self.record = record
        if self._manifest is None and self._folder.manifest.exists():
            self._manifest = self._tried("manifest.json", lambda: read_manifest(self._folder))
        folders = sorted((self._folder.root / "levels").glob("*/"))
        for path in folders:
            if path.name not in self._levels:
                self._levels[path.name] = LevelReading(path)
            elif path not in folders[-2:]:
                continue  # it ended before the last one, and was read since then
            self._levels[path.name].read()
        if not self._ended and self._folder.metrics.exists():
            self._ended = self._tried("metrics.json", self._figures) or []

    def samples(self) -> Iterator[Sample]:
        """Return everything that was read."""
        now_ns = self._clock_ns()
        yield from self._of_run()
        yield from self._of_levels(now_ns)
        if self._levels:
            *_, latest = self._levels
            yield from self._of_latest(self._folder.root / "levels" / latest, now_ns)
        yield from self._ended
        yield from disk_values(self._folder.root)
        yield from pressure_values(self._proc)
        yield Sample("loadtest_exporter_cpu_seconds_total", (), time.process_time())
        yield Sample("loadtest_exporter_read_timestamp_seconds", (), self._read_s)
        unreadable = {name for name, level in self._levels.items() if level.is_unreadable}
        count = len(unreadable | self._unreadable)
        yield Sample("loadtest_exporter_unreadable_files", (), count)

    def _of_run(self) -> Iterator[Sample]:
        if (record := self.record) is None:
            return
        status = record["status"]
        begun_s = datetime.fromisoformat(record["started_at"]).timestamp()
        yield Sample("loadtest_run_started_timestamp_seconds", (), begun_s)
        yield Sample("loadtest_run_status", (status,), 1)
        yield Sample("loadtest_run_process_up", (), float(status in MAY_GO_ON))
        if status == COMPLETE and (ended := record.get("ended_at")):
            ended_s = datetime.fromisoformat(ended).timestamp()
            yield Sample("loadtest_last_success_timestamp_seconds", (), ended_s)
        if (manifest := self._manifest) is not None:
            products = ", ".join(f"{one.product} {one.version}" for one in manifest.servers)
            revision = (manifest.harness.git_commit or "")[:12]
            facts = (manifest.scenario, manifest.target.name, revision, products)
            yield Sample("loadtest_run_info", facts, 1)

    def _of_levels(self, now_ns: int) -> Iterator[Sample]:
        """Return the counts of all levels; the oldest are left out where that is too many."""
        room = MAX_SERIES - _FIXED_SERIES
        shown: list[LevelReading] = []
        for level in reversed(self._levels.values()):
            room -= level.series
            if room >= 0 or not shown:
                shown.append(level)
        for level in reversed(shown):
            yield from level.samples(now_ns)
        left_out = sum(one.series for one in self._levels.values() if one not in shown)
        yield Sample("loadtest_exporter_series_left_out", (), left_out)

    def _of_latest(self, folder: Path, now_ns: int) -> Iterator[Sample]:
        """Return what is said of the level that is played alone."""
        level = self._levels[folder.name]
        is_played = self.record is not None and self.record["status"] in MAY_GO_ON
        if is_played:
            yield from level.now()
        progress = _last_line(self._folder.root / "progress.jsonl")
        shown = f"{level.plan.get('label')} ({level.plan.get('title')})"
        if progress is not None and progress["label"] in (level.plan.get("label"), shown):
            yield from self._progress(progress, level)
        if (sample := _last_line(folder / "resources.jsonl")) is not None:
            yield from resource_values(sample, self._limits(level))
        offset_s = self._wall_s() - now_ns / 1e9
        faults = self._tried("faults.jsonl", lambda: read_faults(folder)) or []
        yield from fault_values(faults, now_ns, lambda at_ns: offset_s + at_ns / 1e9)

    def _progress(self, progress: dict[str, Any], level: LevelReading) -> Iterator[Sample]:
        totals = progress["totals"]
        yield Sample("loadtest_workflows_started_total", (level.name,), totals["started"])
        if level.phase not in ("start", "ended"):
            in_flight = totals["started"] - totals["ended"]
            yield Sample("loadtest_workflows_in_flight", (level.name,), in_flight)
            heard_s = (self._folder.root / "progress.jsonl").stat().st_mtime
            yield Sample("loadtest_heartbeat_timestamp_seconds", (), heard_s)

    def _limits(self, level: LevelReading) -> dict[str, int]:
        """Return the connections that the target may open to each server in a level."""
        if (manifest := self._manifest) is None or not level.plan:
            return {}
        servers = [one.service for one in manifest.servers]
        context = LevelContext(manifest.kinds, servers, manifest.connections.pools)
        return context.connection_limits(level.plan)

    def _figures(self) -> list[Sample]:
        metrics = read_metrics(self._folder)
        folders = {int(name.partition("-")[0]): name for name in self._levels}
        return list(run_values(metrics, folders))

    def _tried(self, name: str, read: Callable[[], _Found]) -> _Found | None:
        """Read a file; one that cannot be read is counted until it can."""
        try:
            found = read()
        except (RunFolderError, OSError):
            if (self._folder.root / name).exists():
                self._unreadable.add(name)
            return None
        self._unreadable.discard(name)
        return found


def _last_line(path: Path) -> dict[str, Any] | None:
    """Return the last whole line of a file of JSON lines; None where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().rpartition(b"\n")[0].splitlines()
    except FileNotFoundError:
        return None
    if not lines:
        return None
    found: dict[str, Any] = json.loads(lines[-1])
    return found
