"""Supervises the workers of one level through its phases, and writes down what happened.

The parent only watches and steers: it reads the workers' slot files, decides when a phase ends,
and outlives workers that die or hang. A worker that ends before its time ends the level, because
what runs on is no longer the load that was asked for.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from perf_pipeline.loadgen.worker_process import WorkerProcess
from perf_pipeline.samples.slots import Totals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.config.scenario import Phases
    from perf_pipeline.loadgen.plan import LevelPlan
    from perf_pipeline.targets.target import Job

TURNOVERS_STEADY = 3
TURNOVERS_WARM_UP = 1
TICK_S = 0.1
REPORT_EVERY_NS = 1_000_000_000
START_TIMEOUT_S = 120.0
GO_DELAY_S = 0.2
INTERRUPT_DRAIN_S = 1.0
INTERRUPT_GRACE_S = 3.0
HANG_GRACE_S = 10.0


@dataclass(frozen=True)
class Progress:
    """Where a level stands.

    Attributes:
        label: The level.
        phase: ``start``, ``ramp_up``, ``warm_up``, ``steady`` or ``drain``.
        totals: Started, ended and failed so far.
        rate_per_s: Ended a second since the last report.
        elapsed_s: Since the go; 0 before.
    """

    label: str
    phase: str
    totals: Totals
    rate_per_s: float
    elapsed_s: float


@dataclass
class LevelLog:
    """What the supervisor saw; stored as ``level.json``.

    Attributes:
        plan: The plan's values, without its arrays, and its hash.
        started_at: Wall clock, ISO 8601 UTC.
        ended_at: Likewise.
        go_ns: CLOCK_MONOTONIC of the go; None if the workers never got ready.
        phases_ns: Phase to (start, end), CLOCK_MONOTONIC; an end of None was never reached.
        ended_because: ``complete``, ``steady_max``, ``worker lost``, ``start failed`` or
            ``interrupted``.
        workers: Index, pid and end reason of each worker.
    """

    plan: dict[str, Any]
    started_at: str
    ended_at: str = ""
    go_ns: int | None = None
    phases_ns: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    ended_because: str = "interrupted"
    workers: list[dict[str, Any]] = field(default_factory=list)


class LevelRun:
    """One level being run; ``run`` does everything."""

    def __init__(
        self,
        plan: LevelPlan,
        *,
        folder: Path,
        python: Path,
        job: Job,
        phases: Phases,
        on_second: Callable[[int, list[int]], None],
        on_progress: Callable[[Progress], None],
        write_log: Callable[[LevelLog], None],
    ) -> None:
        """Prepare; nothing is started.

        Args:
            plan: The level.
            folder: Its folder, empty.
            python: The target's interpreter.
            job: What the target has to execute.
            phases: Lengths; the steady length is the plan's.
            on_second: Called about once a second with the time and the workers' pids.
            on_progress: Likewise, with where the level stands.
            write_log: Stores the log; called at the start, at every phase and at the end, so that
                a killed supervisor leaves what it knew.
        """
        self._plan = plan
        self._folder = folder
        self._python = python
        self._job = job
        self._phases = phases
        self._on_second = on_second
        self._on_progress = on_progress
        self._write_log = write_log
        head = {k: v for k, v in asdict(plan).items() if k not in ("kinds", "ramp_ns")}
        self._log = LevelLog(
            plan={**head, "sha256": plan.sha256()}, started_at=datetime.now(UTC).isoformat()
        )
        self._workers: list[WorkerProcess] = []
        self._phase = "start"
        self._reported: tuple[int, int] = (time.monotonic_ns(), 0)

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
            for worker in range(self._plan.processes):
                self._workers.append(
                    WorkerProcess(
                        self._plan,
                        worker,
                        self._folder,
                        self._python,
                        self._job,
                        self._phases.deadline_s,
                        self._phases.drain_s,
                    )
                )
            # Until then "interrupted" stands there, which is what a killed supervisor leaves.
            self._log.ended_because = self._play() if self._wait_ready() else "start failed"
        except BaseException:
            self._log.ended_because = "interrupted"
            raise
        finally:
            self._end()
        return self._log

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
        phases, slots = self._phases, self._plan.concurrency
        go_ns = time.monotonic_ns() + int(GO_DELAY_S * 1e9)
        for worker in self._workers:
            worker.go(go_ns)
        self._log.go_ns = go_ns
        limit_s = phases.steady_max_s
        until = self._stay
        if not until("ramp_up", go_ns, phases.ramp_up_s, phases.ramp_up_s, 0):
            return "worker lost"
        if not until(
            "warm_up", time.monotonic_ns(), phases.warm_up_s, limit_s, TURNOVERS_WARM_UP * slots
        ):
            return "worker lost"
        wanted = max(TURNOVERS_STEADY * slots, phases.steady_workflows)
        ended_before = self._totals().ended
        if not until("steady", time.monotonic_ns(), self._plan.steady_s, limit_s, wanted):
            return "worker lost"
        return "complete" if self._totals().ended - ended_before >= wanted else "steady_max"

    def _stay(self, phase: str, start_ns: int, least_s: float, most_s: float, turns: int) -> bool:
        """Stay in a phase for its time and its turnovers; False if a worker was lost."""
        self._phase = phase
        ended_before = self._totals().ended
        self._log.phases_ns[phase] = (start_ns, None)
        self._write_log(self._log)
        try:
            while self._all_alive():
                elapsed_s = (time.monotonic_ns() - start_ns) / 1e9
                enough = self._totals().ended - ended_before >= turns
                if elapsed_s >= most_s or (elapsed_s >= least_s and enough):
                    return True
                self._tick()
            return False
        finally:
            self._log.phases_ns[phase] = (start_ns, max(start_ns, time.monotonic_ns()))
            self._write_log(self._log)

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
            self._log.workers = [
                {"worker": w.worker, "pid": w.pid, "reason": w.end_reason()} for w in self._workers
            ]
            self._log.ended_at = datetime.now(UTC).isoformat()
            self._write_log(self._log)
            for worker in self._workers:
                worker.slots.close()

    def _drain(self, stop_ns: int) -> None:
        """Start nothing more and wait for the workers to end; what does not end is killed."""
        interrupted = self._log.ended_because == "interrupted"
        short = interrupted or self._log.ended_because in ("worker lost", "start failed")
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

    def _all_alive(self) -> bool:
        return all(worker.alive for worker in self._workers)

    def _totals(self) -> Totals:
        return sum((worker.slots.totals() for worker in self._workers), Totals(0, 0, 0))

    def _tick(self) -> None:
        """Let a tenth of a second pass; about once a second, probe and report."""
        time.sleep(TICK_S)
        now_ns = time.monotonic_ns()
        then_ns, ended_then = self._reported
        if now_ns - then_ns < REPORT_EVERY_NS:
            return
        totals = self._totals()
        self._reported = (now_ns, totals.ended)
        self._on_second(now_ns, [worker.pid for worker in self._workers if worker.alive])
        self._on_progress(
            Progress(
                label=self._plan.label,
                phase=self._phase,
                totals=totals,
                rate_per_s=(totals.ended - ended_then) / ((now_ns - then_ns) / 1e9),
                elapsed_s=max(0.0, (now_ns - (self._log.go_ns or now_ns)) / 1e9),
            )
        )
