"""Reads the levels of a run, or the hours of a campaign, while they are played."""

from __future__ import annotations

import json
from bisect import bisect
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import RunFolderError
from perf_pipeline.monitoring.fault_values import fault_values
from perf_pipeline.monitoring.level_reading import LevelReading
from perf_pipeline.monitoring.metric_registry import MAX_SERIES
from perf_pipeline.monitoring.resource_values import resource_values
from perf_pipeline.monitoring.sample import Sample
from perf_pipeline.samples.fault_log import read_faults
from perf_pipeline.samples.journal_tail import NO_END_NS
from perf_pipeline.samples.run_folder import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_TAIL_BYTES = 1 << 20
"""The last line of a file is looked for in so much of its end; a sample has some 10 kB."""
_FIXED_SERIES = 400
"""Series beside those of the levels' workflows."""


class LevelsReading:
    """What is known of the levels in a folder by now."""

    def __init__(self, folder: Path) -> None:
        """Read nothing yet.

        Args:
            folder: Has a folder for each level, whose names sort in the order of play.
        """
        self._folder = folder
        self._levels: dict[str, LevelReading] = {}
        self._is_faults_file_bad = False

    @property
    def names(self) -> list[str]:
        """Names of the levels that were begun, in order."""
        return list(self._levels)

    @property
    def latest(self) -> LevelReading | None:
        """The level that was begun last."""
        return self._levels[self.names[-1]] if self._levels else None

    @property
    def committed_ns(self) -> list[int]:
        """When each journal of the levels was last added to, as far as was read."""
        return [at_ns for level in self._levels.values() for at_ns in level.committed_ns]

    @property
    def unreadable(self) -> int:
        """How many levels have a file that cannot be read."""
        return sum(one.is_unreadable for one in self._levels.values()) + self._is_faults_file_bad

    def read(self, until_ns: int = NO_END_NS) -> None:
        """Read what is new of every level that may still change.

        Args:
            until_ns: Of levels that have ended, until when, CLOCK_MONOTONIC.
        """
        found = sorted(self._folder.glob("*/"))
        folders = [path for path in found if path.name in self._levels or _go_ns(path) <= until_ns]
        home = self.latest.home if self.latest else ""
        for path in folders:
            if path.name not in self._levels:
                self._levels[path.name] = LevelReading(path)
            elif path not in folders[-2:] and path.name != home:
                continue  # it ended before the last one, and was read since then
            self._levels[path.name].read(until_ns)

    def samples(self, now_ns: int) -> Iterator[Sample]:
        """Return the counts of all levels; the oldest are left out where that is too many.

        Args:
            now_ns: CLOCK_MONOTONIC.
        """
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

    def of_latest(
        self,
        now_ns: int,
        wall_s: Callable[[int], float],
        limits: Callable[[LevelReading], Mapping[str, int]],
        until_ns: int = NO_END_NS,
    ) -> Iterator[Sample]:
        """Return the newest sample of resources, and the state of failures, of the latest level.

        Args:
            now_ns: CLOCK_MONOTONIC.
            wall_s: CLOCK_MONOTONIC to seconds of the epoch.
            limits: Level to the connections that the target may open, by server.
            until_ns: Of a level that has ended, until when, CLOCK_MONOTONIC.
        """
        if (level := self.latest) is None:
            return
        path = level.folder / "resources.jsonl"
        sample = last_line(path) if until_ns == NO_END_NS else _line_at(path, until_ns)
        if sample is not None:
            yield from resource_values(sample, limits(level))
        try:
            faults = read_faults(level.folder, until_ns)
        except (RunFolderError, OSError, ValueError, KeyError):
            self._is_faults_file_bad = True
            return
        yield from fault_values(faults, now_ns, wall_s)


def _go_ns(folder: Path) -> int:
    """Return when the load of a level began, CLOCK_MONOTONIC; ``NO_END_NS`` where it has not."""
    try:
        return read_json(folder / "level.json")["go_ns"] or NO_END_NS
    except RunFolderError:
        return NO_END_NS


def _line_at(path: Path, until_ns: int) -> dict[str, Any] | None:
    """Return the newest line of a file of samples at a moment; None where there is none."""
    lines, times_ns = _lines(path)
    place = bisect(times_ns, until_ns)
    if not place:
        return None
    found: dict[str, Any] = json.loads(lines[place - 1])
    return found


@lru_cache(maxsize=1)
def _lines(path: Path) -> tuple[list[bytes], list[int]]:
    """Return the whole lines of a file of samples that grows no more, and their times."""
    if not path.exists():
        return [], []
    lines = path.read_bytes().rpartition(b"\n")[0].splitlines()
    return lines, [json.loads(line)["at_ns"] for line in lines]


def last_line(path: Path) -> dict[str, Any] | None:
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
