"""What the exporter of a run that has ended would have served at any moment of it.

It is read from the same files by the same code, each up to that moment.
"""

from __future__ import annotations

import json
from bisect import bisect
from typing import TYPE_CHECKING, Any

import numpy as np

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.monitoring.ended_values import run_values
from perf_pipeline.monitoring.levels_reading import LevelsReading
from perf_pipeline.monitoring.run_clock import clock_of
from perf_pipeline.monitoring.run_values import (
    connection_limits,
    is_of,
    progress_values,
    run_facts,
)
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.pruned import refuse_pruned
from perf_pipeline.samples.run_record import MAY_GO_ON, RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.monitoring.level_reading import LevelReading
    from perf_pipeline.monitoring.sample import Sample
    from perf_pipeline.samples.run_folder import RunFolder

_STAMP_NS = 2_000_000
"""Prometheus' times are whole milliseconds: two moments are further apart."""


class RunHistory:
    """A run that has ended, read again from its begin.

    What is said of the machine alone (its disk, the kernel's pressure) and of the exporter is not
    in a run's files, so it is missing here.
    """

    def __init__(self, folder: RunFolder) -> None:
        """Read what does not depend on a moment.

        Args:
            folder: The run's.

        Raises:
            RunFolderError: The run goes on, was pruned, or has no load.
        """
        self._folder = folder
        self._record = folder.read_status()
        if self._record["status"] in MAY_GO_ON:
            raise RunFolderError(
                f"{folder.root} has not ended: its exporter serves its metrics, see "
                "PERF_PIPELINE_SCRAPE_DIR"
            )
        for level in folder.level_folders():
            refuse_pruned(level)
        self._clock = clock_of(folder)
        self._manifest = read_manifest(folder)
        self._levels = LevelsReading(folder.root / "levels")
        self._progress = _progress(folder)

    def moments(self, every_s: float) -> Iterator[tuple[float, list[Sample]]]:
        """Yield the values of each moment, in order, as seconds of the epoch.

        Args:
            every_s: Time between two; > 0. Begins of levels are moments as well, and the end.
        """
        clock = self._clock
        grid_ns = range(clock.begin_ns, clock.end_ns, max(_STAMP_NS, round(every_s * 1e9)))
        begun_ns = np.array(clock.go_ns)
        apart_ns = {at for at in grid_ns if np.abs(begun_ns - at).min() >= _STAMP_NS}
        for at_ns in sorted({*apart_ns, *clock.go_ns}):
            yield clock.wall_s(at_ns), list(self._at(at_ns))
        self._levels.read()
        last_ns = max((clock.end_ns, *self._levels.committed_ns)) + _STAMP_NS
        yield clock.wall_s(last_ns), list(self._at_end(last_ns))

    def _at(self, at_ns: int) -> Iterator[Sample]:
        """Return what was served while the run went on."""
        self._levels.read(at_ns)
        yield from run_facts({**self._record, "status": RUNNING}, self._manifest)
        yield from self._levels.samples(at_ns)
        if (level := self._levels.latest) is not None:
            yield from level.now()
            yield from self._reported(level, at_ns)
        yield from self._levels.of_latest(at_ns, self._clock.wall_s, self._limits, at_ns)

    def _at_end(self, at_ns: int) -> Iterator[Sample]:
        """Return what was served last."""
        yield from run_facts(self._record, self._manifest)
        yield from self._levels.samples(at_ns)
        yield from self._levels.of_latest(at_ns, self._clock.wall_s, self._limits)
        if self._folder.metrics.exists():
            names = {int(name.partition("-")[0]): name for name in self._levels.names}
            yield from run_values(read_metrics(self._folder), names)

    def _reported(self, level: LevelReading, at_ns: int) -> Iterator[Sample]:
        """Return what the latest report of a level's progress said."""
        lines = [line for line in self._progress if is_of(line, level)]
        since_s = (at_ns - (level.go_ns or 0)) / 1e9
        if place := bisect([line["elapsed_s"] for line in lines], since_s):
            line = lines[place - 1]
            heard_ns = (level.go_ns or 0) + round(line["elapsed_s"] * 1e9)
            yield from progress_values(line, level, self._clock.wall_s(heard_ns))

    def _limits(self, level: LevelReading) -> dict[str, int]:
        return connection_limits(self._manifest, level)


def _progress(folder: RunFolder) -> list[dict[str, Any]]:
    path = folder.root / "progress.jsonl"
    if not path.exists():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0].splitlines()
    return [json.loads(line) for line in whole]
