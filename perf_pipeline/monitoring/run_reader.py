"""Reads a run's folder as it grows, and returns every value that its files hold by now.

The files are those from which the terminal's progress and the report are made, so that all three
show the same numbers. Nothing of the run is changed, and nothing is asked of its processes.

A run in shards has an exporter a shard, on the shard's host: journals are read on the host that
writes them. Each serves what its own workers did; ``over_shards.py`` says how the values of all
make those of the run. What is said of the run as a whole, once its shards are merged, is served
from the merged folder, without the counts that the shards have served.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.monitoring.ended_values import run_values
from perf_pipeline.monitoring.levels_reading import LevelsReading, last_line
from perf_pipeline.monitoring.resource_values import exporter_values
from perf_pipeline.monitoring.run_values import (
    connection_limits,
    is_of,
    progress_values,
    run_facts,
)
from perf_pipeline.monitoring.sample import Sample
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.run_record import COMPLETE, MAY_GO_ON, RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.monitoring.level_reading import LevelReading
    from perf_pipeline.samples.manifest import Manifest
    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.samples.run_record import RunRecord

Part = Literal["whole", "shard", "merged"]
_Found = TypeVar("_Found")


class RunReader:
    """What is known of a run by now.

    Attributes:
        record: The content of ``run.json``, with the status that the run has by now; None before
            it has begun.
    """

    def __init__(
        self,
        folder: RunFolder,
        part: Part = "whole",
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        wall_s: Callable[[], float] = time.time,
        proc: Path = Path("/proc"),
    ) -> None:
        """Read nothing yet.

        Args:
            folder: The run's; need not be there yet.
            part: A run; a shard of one; or a run of which the shards have served all counts.
            clock_ns: CLOCK_MONOTONIC.
            wall_s: Seconds of the epoch.
            proc: Where the kernel tells of pressure.
        """
        self.record: RunRecord | None = None
        self._folder, self._part = folder, part
        self._clock_ns, self._wall_s = clock_ns, wall_s
        self._proc = proc
        self._levels = LevelsReading(folder.root / "levels")
        self._manifest: Manifest | None = None
        self._ended: list[Sample] = []
        self._unreadable: set[str] = set()
        self._read_s = 0.0

    @property
    def has_begun(self) -> bool:
        """Whether there is a run yet."""
        return self.record is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more: it is measured, or its process gone.

        A shard is measured by whoever merges it.
        """
        status = self.record["status"] if self.record else RUNNING
        waits = MAY_GO_ON if self._part == "shard" else (*MAY_GO_ON, COMPLETE)
        return bool(self._ended) or status not in waits

    def read(self) -> None:
        """Read what is new."""
        self._read_s = self._wall_s()
        if (record := self._tried("run.json", self._folder.read_status)) is not None:
            self.record = record
        if self._manifest is None and self._folder.manifest.exists():
            self._manifest = self._tried("manifest.json", lambda: read_manifest(self._folder))
        if self._part != "merged":
            self._levels.read()
        if not self._ended and self._folder.metrics.exists():
            self._ended = self._tried("metrics.json", self._figures) or []

    def samples(self) -> Iterator[Sample]:
        """Return everything that was read."""
        now_ns = self._clock_ns()
        offset_s = self._wall_s() - now_ns / 1e9
        if self.record is not None:
            yield from run_facts(self.record, self._manifest, is_shard=self._part == "shard")
        yield from self._levels.samples(now_ns)
        yield from self._played()
        yield from self._levels.of_latest(now_ns, lambda ns: offset_s + ns / 1e9, self._limits)
        yield from self._ended
        yield from exporter_values(self._folder.root, self._proc, self._read_s)
        count = self._levels.unreadable + len(self._unreadable)
        yield Sample("loadtest_exporter_unreadable_files", (), count)

    def _played(self) -> Iterator[Sample]:
        """Return what is said of the level that is played alone."""
        if (level := self._levels.latest) is None:
            return
        if self.record is not None and self.record["status"] in MAY_GO_ON:
            yield from level.now()
        path = self._folder.root / "progress.jsonl"
        progress = last_line(path)
        if progress is not None and is_of(progress, level):
            yield from progress_values(progress, level, path.stat().st_mtime)

    def _limits(self, level: LevelReading) -> dict[str, int]:
        return connection_limits(self._manifest, level)

    def _figures(self) -> list[Sample]:
        metrics = read_metrics(self._folder)
        names = [path.name for path in self._folder.level_folders()]
        folders = {int(name.partition("-")[0]): name for name in names}
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
