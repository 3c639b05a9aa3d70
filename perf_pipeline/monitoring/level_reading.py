"""Reads one level of a run while it is played, from the files that the run writes anyway."""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import RunFolderError
from perf_pipeline.monitoring.level_counts import LevelCounts
from perf_pipeline.monitoring.sample import Sample
from perf_pipeline.samples.journal_tail import NO_END_NS, JournalTail
from perf_pipeline.samples.planned_levels import read_schedule
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.samples.steps.step_tail import StepTail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNTED = ("attempts", "retries")
BASE_SERIES = 40
"""Series of a level without its histograms and workloads, at most."""


class LevelReading:
    """What is known of a level so far.

    The stages of one load share the journals in the folder of the first one, under whose name
    their workflows are counted.

    Attributes:
        folder: Its folder.
        name: Name of its folder: its label ``level`` in every metric.
        counts: Of the records that were committed.
        is_unreadable: Whether a journal or ``level.json`` could not be read.
    """

    def __init__(self, folder: Path) -> None:
        """Read nothing yet.

        Args:
            folder: The level's.
        """
        self.name = folder.name
        self.counts = LevelCounts()
        self.is_unreadable = False
        self.folder = folder
        self._tail = JournalTail(folder)
        self._steps = StepTail(folder, COUNTED)
        self._log: dict[str, Any] = {}
        self._log_mtime_ns = 0
        self._latest_ns: dict[str, int] = {}
        self._longest_gap_ns = 0
        self._due_ns = read_schedule(folder)
        self._until_ns = NO_END_NS

    def read(self, until_ns: int = NO_END_NS) -> None:
        """Read what is new.

        Args:
            until_ns: Of a level that has ended, until when: as if it went on, CLOCK_MONOTONIC.
        """
        self._until_ns = until_ns
        self._read_log()
        for block in self._tail.new_blocks(until_ns):
            before_ns = self._latest_ns.get(block.journal, block.committed_ns)
            self._longest_gap_ns = max(self._longest_gap_ns, block.committed_ns - before_ns)
            self._latest_ns[block.journal] = block.committed_ns
            self.counts.take(block.payload)
        self._steps.read(until_ns)
        self.is_unreadable = self.is_unreadable or self._tail.is_damaged

    def _read_log(self) -> None:
        path = self.folder / "level.json"
        try:
            mtime_ns = path.stat().st_mtime_ns
            if mtime_ns != self._log_mtime_ns:
                self._log = read_json(path)
                self._log_mtime_ns = mtime_ns
        except FileNotFoundError:
            return  # its workers are starting
        except RunFolderError:
            self.is_unreadable = True

    @property
    def phase(self) -> str:
        """The phase that goes on: ``start`` before the go, ``ended`` after the last one."""
        go_ns, until_ns = self._log.get("go_ns"), self._until_ns
        if not go_ns or go_ns > until_ns:
            return "start"
        open_ones = [
            name
            for name, (begin_ns, end_ns) in self._log["phases_ns"].items()
            if begin_ns <= until_ns and (end_ns is None or end_ns > until_ns)
        ]
        return open_ones[-1] if open_ones else "ended"

    @property
    def go_ns(self) -> int | None:
        """CLOCK_MONOTONIC of the go; None before it."""
        return self._log.get("go_ns")

    @property
    def series(self) -> int:
        """How many series its histograms and counters have."""
        per_histogram = len(self.counts.service.counts) + 2
        return BASE_SERIES + per_histogram * (2 + len(self.counts.response))

    def samples(self, now_ns: int) -> Iterator[Sample]:
        """Return all that is known of its workflows.

        Args:
            now_ns: CLOCK_MONOTONIC.
        """
        level = self.name
        for (kind, outcome), count in sorted(self.counts.completed.items()):
            labels = (level, self._workload(kind), Outcome(outcome).name.lower())
            yield Sample("loadtest_workflows_completed_total", labels, count)
        for error_class, count in sorted(self.counts.errors.items()):
            name = ErrorClass(error_class).name.lower()
            yield Sample("loadtest_workflow_errors_total", (level, name), count)
        for counted, total in sorted(self._steps.sums.items()):
            yield Sample("loadtest_workflow_attempts_total", (level, counted), total)
        for kind, times in sorted(self.counts.response.items()):
            of_kind = (level, self._workload(kind))
            yield Sample("loadtest_response_time_seconds", of_kind, times)
        yield Sample("loadtest_service_time_seconds", (level,), self.counts.service)
        if self.plan.get("loop") == "open":
            yield Sample("loadtest_start_lag_seconds", (level,), self.counts.start_lag)
            yield from self._arrivals(now_ns)
        gap_s = self._longest_gap_ns / 1e9
        yield Sample("loadtest_journal_commit_gap_seconds", (level,), gap_s)
        lost = self._tail.damaged_blocks
        yield Sample("loadtest_results_dropped_total", (level,), lost)

    def now(self) -> Iterator[Sample]:
        """Return what is only said of the level that is played."""
        plan = self.plan
        if not plan:
            return
        facts = (self.name, str(plan["label"]), str(plan["target"]), str(plan["loop"]))
        yield Sample("loadtest_level_info", facts, 1)
        yield Sample("loadtest_level_phase", (self.name, self.phase), 1)
        if plan["loop"] == "closed":
            wanted = plan["concurrency"]
            yield Sample("loadtest_wanted_workflows_in_flight", (self.name,), wanted)

    def _arrivals(self, now_ns: int) -> Iterator[Sample]:
        """Return how many workflows were due by now, and in the last second."""
        if self.go_ns is None:
            return
        if not self._due_ns:
            self._due_ns = read_schedule(self.folder)
        since_ns = now_ns - self.go_ns
        due, before = (bisect(self._due_ns, at) for at in (since_ns, since_ns - 1_000_000_000))
        yield Sample("loadtest_workflows_scheduled_total", (self.name,), due)
        if self.phase not in ("drain", "ended"):
            rate = float(due - before)
            yield Sample("loadtest_wanted_workflows_per_second", (self.name,), rate)

    @property
    def plan(self) -> dict[str, Any]:
        """The plan of the level, as ``level.json`` has it; empty before that is written."""
        plan: dict[str, Any] = self._log.get("plan", {})
        return plan

    @property
    def committed_ns(self) -> list[int]:
        """When each journal was last added to, as far as was read, CLOCK_MONOTONIC."""
        return list(self._latest_ns.values())

    @property
    def home(self) -> str:
        """Name of the folder with its journals; empty for its own."""
        stage = self.plan.get("stage")
        return str(stage["home"]) if stage else ""

    def _workload(self, kind: int) -> str:
        names: list[str] = self.plan.get("workloads", [])
        return names[kind] if kind < len(names) else str(kind)
