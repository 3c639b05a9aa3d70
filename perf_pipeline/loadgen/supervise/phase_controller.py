"""Steers a load level through its phases: decides when each ends, and why the level ends.

A worker process that ends early ends the level, because the remaining load is not the load that
was asked for.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.plan.phase_rules import PhaseRule, closed_phases, timed_phases
from perf_pipeline.loadgen.supervise.level_monitor import totals_of
from perf_pipeline.loadgen.supervise.warm_up_watch import WarmUpWatch
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.early_stop import EarlyEnd
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.loadgen.supervise.level_monitor import LevelMonitor
    from perf_pipeline.loadgen.supervise.meeting import Meeting
    from perf_pipeline.loadgen.supervise.worker_process import WorkerProcess

TICK_S = 0.1
MIN_TICK_S = 0.002
GO_DELAY_S = 0.1
"""Of a schedule, whose first arrival no worker may miss, and of an hour."""
CLOSED_GO_DELAY_S = 0.03
"""Slots look for the go every 0.01 s (``worker/closed_loop.py``); one that wakes later begins then.
"""


class PhaseController:
    """Plays the phases of one level on worker processes that are ready.

    Attributes:
        phase: The current phase.
        logs: Of each level that was begun: one, or one a stage.
    """

    def __init__(
        self,
        plan: LevelPlan,
        workers: Sequence[WorkerProcess],
        monitor: LevelMonitor,
        log: LevelLog,
        write_log: Callable[[LevelLog], None],
        meeting: Meeting | None = None,
    ) -> None:
        """Prepare.

        Args:
            plan: The level.
            workers: Its workers; may grow until ``play``.
            monitor: Called at every tick; decides whether the level ends early.
            log: Takes when each phase began and ended.
            write_log: Stores the log.
            meeting: Where the shares of the level agree on its start; None for a level that one
                host plays.
        """
        self._plan = plan
        self._meeting = meeting
        self._phases = plan.phases
        self._workers = workers
        self._monitor = monitor
        self.logs = [log]
        self._write_log = write_log
        self._ended_before_go = 0
        self._early_end: EarlyEnd | None = None
        self.phase = "start"

    @property
    def log(self) -> LevelLog:
        """The log of the level, or of the current stage."""
        return self.logs[-1]

    def play(self) -> EndedBecause:
        """Play all phases; returns why the level ended."""
        if self._plan.arrivals or self._meeting:
            return self._play_schedule()
        self._ended_before_go = self._ended()  # the cold starts
        go_ns = self._go()
        start_ns, ended_before = go_ns, 0
        *before_steady, steady = closed_phases(self._phases, self._plan.concurrency)
        for rule in (*before_steady, steady):
            ended_before = self._ended()
            because = self._stay(rule, start_ns)
            if because:
                return because
            start_ns = time.monotonic_ns()
        if self._ended() - ended_before >= steady.min_workflows:
            return EndedBecause.COMPLETE
        return EndedBecause.STEADY_MAX

    def _go(self) -> int:
        delay_s = GO_DELAY_S if self._plan.arrivals else CLOSED_GO_DELAY_S
        go_ns = (
            self._meeting.meet(self.log.folder_name)
            if self._meeting
            else time.monotonic_ns() + int(delay_s * 1e9)
        )
        for worker in self._workers:
            worker.go(go_ns)
        self.log.go_ns = go_ns
        self._monitor.begin(go_ns)
        return go_ns

    def _play_schedule(self) -> EndedBecause:
        """Play phases that end by time alone, to the nanosecond.

        Those of an open level are parts of its schedule. Where shares play a closed level, each
        sees only its own workflows end: by time alone all are in the same phase.
        """
        begin_ns = self._go()
        for phase, length_s in timed_phases(self._phases, ramps=not self._plan.arrivals):
            end_ns = begin_ns + int(length_s * 1e9)
            because = self._stay_until(phase, begin_ns, end_ns)
            if because:
                return because
            begin_ns = end_ns
        return EndedBecause.COMPLETE

    def _stay_until(self, phase: str, begin_ns: int, end_ns: int) -> EndedBecause | None:
        """Stay in a part of the schedule; returns why the level ends, or None."""
        with self._logged(phase, begin_ns, end_ns):
            while self.all_alive():
                left_s = (end_ns - time.monotonic_ns()) / 1e9
                if left_s <= 0:
                    return None
                self.tick(max(MIN_TICK_S, min(TICK_S, left_s)))
                if because := self._ended_early():
                    return because
            return EndedBecause.WORKER_LOST

    def _stay(self, rule: PhaseRule, start_ns: int) -> EndedBecause | None:
        """Stay in a phase for as long as its rule says.

        Returns:
            Why the level ends; None if it goes on.
        """
        ended_before, watch = self._ended(), WarmUpWatch()
        with self._logged(rule.phase, start_ns):
            while self.all_alive():
                ended = self._ended() - ended_before
                elapsed_s = (time.monotonic_ns() - start_ns) / 1e9
                if rule.is_over(elapsed_s, ended):
                    return None
                if rule.early_s is not None:
                    watch.add(elapsed_s, ended)
                    if rule.may_be_over(elapsed_s, ended) and watch.is_over():
                        return None
                if rule.max_workflows:
                    left = rule.max_workflows - ended
                    if left <= 0:
                        return EndedBecause.TOTAL_WORKFLOWS
                    self.tick(self._until_half_s(left))
                else:
                    self.tick()
                if because := self._ended_early():
                    return because
            return EndedBecause.WORKER_LOST

    @contextmanager
    def _logged(self, phase: str, begin_ns: int, end_ns: int | None = None) -> Iterator[None]:
        """Write down when a phase begins and ends; it ends at ``end_ns`` at the latest."""
        self.phase = phase
        self.log.phases_ns[phase] = (begin_ns, None)
        self._write_log(self.log)
        try:
            yield
        finally:
            now_ns = max(begin_ns, time.monotonic_ns())
            ended_ns = now_ns if end_ns is None else min(end_ns, now_ns)
            self.log.phases_ns[phase] = (begin_ns, ended_ns)
            self._write_log(self.log)

    def _ended_early(self) -> EndedBecause | None:
        """Return why the level ends before its time, with the detail in the log; else None."""
        if self._early_end is None:
            return None
        self.log.ended_detail = self._early_end.detail
        return self._early_end.because

    def all_alive(self) -> bool:
        """Return whether every worker that was started still runs."""
        return all(worker.alive for worker in self._workers)

    def _ended(self) -> int:
        return totals_of(self._workers).ended

    def _until_half_s(self, left: int) -> float:
        """Return how long half of the ``left`` workflows take at the rate since the go."""
        elapsed_s = (time.monotonic_ns() - (self.log.go_ns or 0)) / 1e9
        ended = self._ended() - self._ended_before_go
        return max(MIN_TICK_S, min(TICK_S, left / 2 * elapsed_s / ended if ended else TICK_S))

    def tick(self, length_s: float | None = None) -> None:
        """Let a tenth of a second pass, or ``length_s``, and do what is due."""
        time.sleep(TICK_S if length_s is None else length_s)
        self._early_end = self._early_end or self._monitor.beat(self.phase, self.log.go_ns)
