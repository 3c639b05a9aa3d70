"""One hour in a lasting worker: its files, its loop, and its end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.run_folder import INTENDED
from perf_pipeline.samples.slots import (
    CLOSED,
    DRAIN_NS,
    GO_NS,
    NEVER_NS,
    PLAYING,
    READY,
    STATE,
    STOP_NS,
    SlotFile,
)
from perf_pipeline.worker.own_time import monotonic_ns
from perf_pipeline.worker.recorder import Recorder
from perf_pipeline.worker.supervision import ledger_of, log_line, process_facts, share_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.record import ErrorClass
    from perf_pipeline.worker.endurance.hour_loop import HourLoop
    from perf_pipeline.worker.endurance.hour_tasks import HourTasks
    from perf_pipeline.worker.ledger import Ledger
    from perf_pipeline.worker.worker_job import WorkerJob

WAIT_FOR_GO_NS = 50_000_000
TWIN_FIRST = 1_000_000_000
"""Numbers of a process that leaks on purpose begin here: they are those of no other workflow."""


class WorkerHour:
    """An hour that this process plays, as ``supervise`` does for the only level of a worker.

    The supervisor has made its folder with schedule and slot file, and steers it by the latter.

    Attributes:
        loop: What the slots play.
    """

    def __init__(
        self,
        job: WorkerJob,
        hour: int,
        classify: Callable[[BaseException], ErrorClass],
        make_loop: Callable[[Ledger, SlotFile], HourLoop | HourTasks],
        over: Callable[[], None] = lambda: None,
    ) -> None:
        """Read the hour's schedule, make its journal, and state that it is ready.

        Args:
            job: Of this process.
            hour: Its number.
            classify: Gives an exception its error class.
            make_loop: Makes the loop that plays it.
            over: Called when the hour is over.
        """
        folder = Path(job.hours) / f"{hour:03d}" / job.arm
        stem = f"worker-{job.worker}"
        mine = replace(job, intended=str(folder / INTENDED))
        self._over = over
        self._slots = SlotFile(folder / f"{stem}.slots")
        self._journal = JournalWriter(folder / f"{stem}.sqlite", lasting=True)
        self._journal.facts(process_facts())
        self._recorder = Recorder(self._journal, self._slots, monotonic_ns)
        ledger = ledger_of(mine, classify, self._recorder, self._slots)
        self.loop = make_loop(ledger, self._slots)
        self.loop.schedule(share_of(mine))
        self.loop.first = hour * job.workflows_per_hour + (TWIN_FIRST if job.arm else 0)
        self._slots.words[STATE] = READY

    def look(self, now_ns: int) -> int:
        """Do what is due; returns when to look again, ``NEVER_NS`` when the hour is over."""
        words = self._slots.words
        if words[STATE] == READY:
            if not words[GO_NS] and now_ns < words[STOP_NS]:
                return now_ns + WAIT_FOR_GO_NS
            self._recorder.begin_load(words[GO_NS])
            words[STATE] = PLAYING
        stop_ns = words[STOP_NS]
        until_ns = stop_ns if now_ns < stop_ns else stop_ns + words[DRAIN_NS]
        if now_ns >= until_ns or not self.loop.alive():
            self.close()
            return NEVER_NS
        self._recorder.commit_if_due(now_ns)
        return min(until_ns, self._recorder.next_look_ns(now_ns))

    def ended(self) -> int:
        """Return how many workflows of the hour have ended."""
        return self._slots.totals().ended

    def close(self) -> None:
        """Commit the last records; what is still in flight is recorded as abandoned."""
        self.loop.closed = True
        self._recorder.finish(self.loop.in_flight)
        for problem in self.loop.problems[:10]:
            log_line(problem)
        if self._recorder.problem is None:
            self._slots.words[STATE] = CLOSED
        else:
            log_line(self._recorder.problem)
        self._journal.close()
        self._over()
