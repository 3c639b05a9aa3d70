"""Supervises the workers of one level through its phases, and writes down what happened.

The parent only watches and steers: it reads the workers' slot files, decides when a phase ends,
and outlives workers that die or hang. A worker that ends before its time ends the level, because
what runs on is no longer the load that was asked for.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.level_log import (
    COMPLETE,
    STEADY_MAX,
    TOTAL_WORKFLOWS,
    WORKER_LOST,
    LevelLog,
)
from perf_pipeline.loadgen.level_plan import little_endian
from perf_pipeline.loadgen.limits.control_group import CGROUPS, group_name
from perf_pipeline.loadgen.limits.limiter import Limiter
from perf_pipeline.loadgen.pulse import Pulse, totals_of
from perf_pipeline.loadgen.slo_watch import SloWatch
from perf_pipeline.loadgen.stop import EarlyEnd, StopWatch
from perf_pipeline.loadgen.worker_process import WorkerProcess
from perf_pipeline.samples.run_folder import INTENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perf_pipeline.loadgen.level_log import Progress
    from perf_pipeline.loadgen.level_plan import LevelPlan
    from perf_pipeline.targets.target import Job

TURNOVERS_STEADY = 3
TURNOVERS_WARM_UP = 1
TICK_S = 0.1
START_TIMEOUT_S = 120.0
GO_DELAY_S = 0.2
INTERRUPT_DRAIN_S = 1.0
INTERRUPT_GRACE_S = 3.0
HANG_GRACE_S = 10.0
LEAST_TICK_S = 0.002


class LevelRun:
    """One level being run; ``run`` does everything."""

    def __init__(
        self,
        plan: LevelPlan,
        *,
        folder: Path,
        python: Path,
        job: Job,
        on_second: Callable[[int, list[int]], None],
        on_progress: Callable[[Progress], None],
        write_log: Callable[[LevelLog], None],
        python_path: str | None = None,
        sample_every_s: float = 1.0,
        cgroups: Path | None = CGROUPS,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            plan: The level.
            folder: Its folder, empty.
            python: The target's interpreter.
            job: What the target has to execute.
            on_second: Called every ``sample_every_s`` with the time and the workers' pids.
            on_progress: Called about once a second with where the level stands.
            write_log: Stores the log; called at the start, at every phase and at the end, so that
                a killed supervisor leaves what it knew.
            python_path: Folder from which a user's own functions are imported.
            sample_every_s: How often ``on_second`` is called.
            cgroups: Where control groups are mounted; None to do without.
        """
        self._plan = plan
        self._folder = folder
        self._python = python
        self._job = job
        self._phases = plan.phases
        self._write_log = write_log
        self._python_path = python_path
        self._cgroups = cgroups
        self._log = LevelLog(
            plan={**plan.head(), "sha256": plan.sha256()}, started_at=datetime.now(UTC).isoformat()
        )
        self._workers: list[WorkerProcess] = []
        self._limiters: list[Limiter] = []
        self._ended_before_go = 0
        self._early_end: EarlyEnd | None = None
        self._phase = "start"
        self._pulse = Pulse(
            plan.shown,
            self._workers,
            stop_watch=StopWatch(plan.stop),
            slo_watch=SloWatch(plan, folder),
            on_sample=on_second,
            sample_every_s=sample_every_s,
            on_progress=on_progress,
        )

    def run(self) -> LevelLog:
        """Run the level to its end, whatever happens to the workers.

        Returns:
            The log, complete.

        Raises:
            BaseException: Only what interrupts this process; load is stopped and the log written
                before it goes on.
        """
        try:
            self._write_log(self._log)
            if self._plan.arrivals:
                (self._folder / INTENDED).write_bytes(little_endian(self._plan.intended_ns))
            for worker in range(self._plan.processes):
                self._start(worker)
            # Until then "interrupted" stands there, which is what a killed supervisor leaves.
            self._log.ended_because = self._play() if self._wait_ready() else "start failed"
        except BaseException:
            self._log.ended_because = "interrupted"
            raise
        finally:
            self._end()
        return self._log

    def _start(self, index: int) -> None:
        """Start one worker, and hold it below its share of the limits from the beginning."""
        worker = WorkerProcess(
            self._plan,
            index,
            self._folder,
            self._python,
            self._job,
            self._python_path,
        )
        self._workers.append(worker)
        limiter = Limiter(
            self._plan.limits,
            self._plan.processes,
            group_name=group_name(self._plan.index, index),
            cgroups=self._cgroups,
        )
        self._limiters.append(limiter)
        limiter.hold(worker)
        self._note_limits()

    def _wait_ready(self) -> bool:
        deadline_ns = time.monotonic_ns() + int(START_TIMEOUT_S * 1e9)
        while not all(worker.ready for worker in self._workers):
            if not self._all_alive():
                return False
            if time.monotonic_ns() > deadline_ns:
                for worker in self._workers:
                    if not worker.ready:
                        worker.kill(f"not ready after {START_TIMEOUT_S:.0f} s")
                return False
            self._tick()
        return True

    def _play(self) -> str:
        """Play all phases; returns why the level ended."""
        if self._plan.arrivals:
            return self._play_schedule()
        phases, slots = self._phases, self._plan.concurrency
        self._ended_before_go = self._ended()  # the cold starts
        go_ns = self._go()
        limit_s = phases.steady_max_s
        wanted = max(TURNOVERS_STEADY * slots, phases.steady_workflows)
        played = (
            ("ramp_up", phases.ramp_up_s, phases.ramp_up_s, 0),
            ("warm_up", phases.warm_up_s, limit_s, TURNOVERS_WARM_UP * slots),
            ("steady", phases.steady_s, limit_s, wanted),
        )
        start_ns, ended_before = go_ns, 0
        for phase, least_s, most_s, turns in played:
            ended_before = self._ended()
            because = self._stay(phase, start_ns, least_s, most_s, turns)
            if because:
                return because
            start_ns = time.monotonic_ns()
        return COMPLETE if self._ended() - ended_before >= wanted else STEADY_MAX

    def _go(self) -> int:
        go_ns = time.monotonic_ns() + int(GO_DELAY_S * 1e9)
        for worker in self._workers:
            worker.go(go_ns)
        self._log.go_ns = go_ns
        self._pulse.begin(go_ns)
        return go_ns

    def _play_schedule(self) -> str:
        """Play an open level: its phases are parts of the schedule, to the nanosecond."""
        begin_ns = self._go()
        lengths_s = (("warm_up", self._phases.warm_up_s), ("steady", self._phases.steady_s))
        for phase, length_s in lengths_s:
            end_ns = begin_ns + int(length_s * 1e9)
            because = self._stay_until(phase, begin_ns, end_ns)
            if because:
                return because
            begin_ns = end_ns
        return COMPLETE

    def _stay_until(self, phase: str, begin_ns: int, end_ns: int) -> str:
        """Stay in a part of the schedule; returns why the level ends, or ""."""
        with self._logged(phase, begin_ns, end_ns):
            while self._all_alive():
                left_s = (end_ns - time.monotonic_ns()) / 1e9
                if left_s <= 0:
                    return ""
                self._tick(max(LEAST_TICK_S, min(TICK_S, left_s)))
                if because := self._ended_early():
                    return because
            return WORKER_LOST

    def _stay(self, phase: str, start_ns: int, least_s: float, most_s: float, turns: int) -> str:
        """Stay in a phase for its time and its turnovers; returns why the level ends, or ""."""
        ended_before = self._ended()
        with self._logged(phase, start_ns):
            while self._all_alive():
                elapsed_s = (time.monotonic_ns() - start_ns) / 1e9
                ended = self._ended()
                if elapsed_s >= most_s or (elapsed_s >= least_s and ended - ended_before >= turns):
                    return ""
                if phase == "steady" and self._phases.total_workflows:
                    left = self._phases.total_workflows - (ended - ended_before)
                    if left <= 0:
                        return TOTAL_WORKFLOWS
                    self._tick(self._until_half_s(left))
                else:
                    self._tick()
                if because := self._ended_early():
                    return because
            return WORKER_LOST

    @contextmanager
    def _logged(self, phase: str, begin_ns: int, end_ns: int | None = None) -> Iterator[None]:
        """Write down when a phase begins and ends; it ends at ``end_ns`` at the latest."""
        self._phase = phase
        self._log.phases_ns[phase] = (begin_ns, None)
        self._write_log(self._log)
        try:
            yield
        finally:
            now_ns = max(begin_ns, time.monotonic_ns())
            ended_ns = now_ns if end_ns is None else min(end_ns, now_ns)
            self._log.phases_ns[phase] = (begin_ns, ended_ns)
            self._write_log(self._log)

    def _ended_early(self) -> str:
        """Return why the level ends before its time, with the detail in the log; else ""."""
        if self._early_end is None:
            return ""
        self._log.ended_detail = self._early_end.detail
        return self._early_end.because

    def _end(self) -> None:
        """Stop load, let workflows end, and reap every worker."""
        steady = self._log.phases_ns.get("steady")
        stop_ns = (steady and steady[1]) or time.monotonic_ns()
        self._phase = "drain"
        try:
            self._drain(stop_ns)
        except BaseException:
            self._log.ended_because = "interrupted"
            self._drain(stop_ns)
            raise
        finally:
            for worker in self._workers:
                worker.kill("killed by us: interrupted again while workflows were ending")
            if self._log.go_ns is not None:
                self._log.phases_ns["drain"] = (stop_ns, time.monotonic_ns())
            # The latest worker has no limiter yet if this was interrupted between the two.
            killed = [*(limiter.reason() for limiter in self._limiters), None]
            self._log.workers = [
                {"worker": worker.worker, "pid": worker.pid, "reason": worker.end_reason(why)}
                for worker, why in zip(self._workers, killed, strict=False)
            ]
            self._note_limits()
            for limiter in self._limiters:
                limiter.release()
            self._log.ended_at = datetime.now(UTC).isoformat()
            self._write_log(self._log)
            for worker in self._workers:
                worker.slots.close()

    def _drain(self, stop_ns: int) -> None:
        """Start nothing more and wait for the workers to end; what does not end is killed."""
        interrupted = self._log.ended_because == "interrupted"
        short = interrupted or self._log.ended_because in (WORKER_LOST, "start failed")
        for worker in self._workers:
            worker.stop(stop_ns, INTERRUPT_DRAIN_S if short else None)
        grace_s = INTERRUPT_GRACE_S if short else self._phases.drain_s + HANG_GRACE_S
        deadline_ns = time.monotonic_ns() + int(grace_s * 1e9)
        while any(worker.alive for worker in self._workers):
            if time.monotonic_ns() > deadline_ns:
                for worker in self._workers:
                    worker.kill(f"hung: still running {grace_s:.0f} s after the stop")
                return
            time.sleep(TICK_S) if interrupted else self._tick()

    def _note_limits(self) -> None:
        """Write down what holds the workers; usually the same for all."""
        self._log.limits = "; ".join(dict.fromkeys(one.mechanism for one in self._limiters))

    def _all_alive(self) -> bool:
        return all(worker.alive for worker in self._workers)

    def _ended(self) -> int:
        return totals_of(self._workers).ended

    def _until_half_s(self, left: int) -> float:
        """Return how long half of the ``left`` workflows take at the rate since the go."""
        elapsed_s = (time.monotonic_ns() - (self._log.go_ns or 0)) / 1e9
        ended = self._ended() - self._ended_before_go
        return max(LEAST_TICK_S, min(TICK_S, left / 2 * elapsed_s / ended if ended else TICK_S))

    def _tick(self, length_s: float | None = None) -> None:
        """Let a tenth of a second pass, or ``length_s``, and do what is due."""
        time.sleep(TICK_S if length_s is None else length_s)
        self._early_end = self._early_end or self._pulse.beat(self._phase, self._log.go_ns)
