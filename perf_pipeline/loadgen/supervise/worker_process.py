"""Starts, steers and ends one worker process, and says why it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.plan.level_plan import little_endian
from perf_pipeline.loadgen.supervise.last_words import last_words
from perf_pipeline.loadgen.supervise.left_behind import end_left_behind
from perf_pipeline.loadgen.supervise.started_worker import StartedWorker, WorkerFiles
from perf_pipeline.loadgen.supervise.worker_home import remove_secret_files
from perf_pipeline.samples.run_folder import INTENDED
from perf_pipeline.samples.slots import (
    ALLOWED,
    CLOSED,
    DRAIN_NS,
    GO_NS,
    HOUR,
    IN_SETUP,
    READY,
    STATE,
    STOP_NS,
    SlotFile,
)
from perf_pipeline.worker.bell import Bell
from perf_pipeline.worker.worker_job import CampaignShare, WorkerJob

if TYPE_CHECKING:
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.targets.target import Job

LOG_TAIL = 400
KEEPER_END_S = 4.0
"""How long a keeper may take to end what its worker left behind; it gives up after 3 s itself."""
ENDED_BY_TARGET = "exit code 0 in the middle of its work: the target ended the process (os._exit?)"
_STATES = {
    "R": "computing (an endless loop, or a long call that keeps the interpreter lock?)",
    "S": "waiting for something",
    "D": "waiting in the kernel for a disk or a network file system",
    "T": "stopped by a signal (SIGSTOP?)",
}
"""State of a process in ``/proc/PID/stat`` to what it means."""
WORKER_MODULE = "perf_pipeline.worker"


class WorkerProcess:
    """A running worker.

    Attributes:
        worker: Its index.
        pid: Its process id.
        slots: Its slot file, mapped.
    """

    def __init__(
        self,
        plan: LevelPlan,
        worker: int,
        folder: Path,
        python: Path,
        job: Job,
        user_code: UserCode = NO_USER_CODE,
        module: str = WORKER_MODULE,
        prepared: StartedWorker | None = None,
        campaign: CampaignShare | None = None,
    ) -> None:
        """Write the worker's files and start it, unless it was started earlier.

        Args:
            plan: The level.
            worker: Index of this worker.
            folder: The level's folder.
            python: The target's interpreter.
            job: What the target has to execute.
            user_code: Working folder, modules and variables of the user's.
            module: What the process runs; its arguments are the file of its job, and the
                descriptor of a file without a name that has the addresses of the servers.
            prepared: Its process, if that was started earlier; its home exists then.
            campaign: Which hours it plays, one after the other; None for this level alone.
        """
        files = WorkerFiles.of(folder, worker)
        ramp_ns = plan.slots_of(worker)
        if prepared is None:
            files.home.mkdir()
        self._home = files.home
        files.kinds.write_bytes(little_endian(plan.kinds))
        files.ramp.write_bytes(little_endian(ramp_ns))
        self.worker = worker
        self.slots = SlotFile.create(files.slots, len(ramp_ns), int(plan.phases.drain_s * 1e9))
        bell = os.eventfd(0, os.EFD_CLOEXEC) if prepared is None else prepared.bell
        self._bell = Bell(bell)
        arrivals = plan.arrivals
        self._workers = plan.processes
        worker_job = WorkerJob(
            worker=worker,
            workers=plan.processes,
            target=parse_target(plan.target).name,
            mode=plan.mode,
            kinds=str(files.kinds),
            ramp=str(files.ramp),
            journal=str(files.journal),
            slots=str(files.slots),
            bell=bell,
            deadline_ns=int(plan.phases.deadline_s * 1e9),
            job=replace(job, concurrency=len(ramp_ns)),
            intended=str(folder.absolute() / INTENDED) if arrivals else "",
            start_timeout_ns=int(arrivals.start_timeout_s * 1e9) if arrivals else 0,
            think_time=plan.think_time,
            staged=plan.stage is not None or plan.trace is not None,
            trace=plan.trace,
            trace_file=str(files.trace),
            hidden_variables=user_code.variables.secret_names,
            **asdict(campaign or CampaignShare()),
        )
        public = replace(job.servers, addresses={})  # a URL may carry a password
        written = replace(worker_job, job=replace(worker_job.job, servers=public))
        files.job.write_text(json.dumps(asdict(written)), encoding="utf-8")
        self._killed_because: str | None = None
        addresses = dict(job.servers.addresses)
        if prepared is not None:
            prepared.hand_over(addresses)
        self._started = prepared or StartedWorker(
            files, python, user_code, module, bell=bell, addresses=addresses
        )
        self.pid = self._started.pid

    @property
    def ready(self) -> bool:
        """True once the target is open and every slot waits for the go."""
        return self.slots.words[STATE] >= READY

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._started.process.poll() is None

    @property
    def closed(self) -> bool:
        """True once its last record is committed."""
        return self.slots.words[STATE] == CLOSED

    def go(self, at_ns: int) -> None:
        """Let the slots start at ``at_ns``, CLOCK_MONOTONIC."""
        self.slots.words[GO_NS] = at_ns
        self._bell.ring()

    def announce(self, hour: int) -> None:
        """Have a lasting worker play an hour, whose folder is ready."""
        self.slots.words[HOUR] = hour + 1
        self._bell.ring()

    def allow(self, in_flight: int) -> None:
        """Let so many slots of all workers together play from now on; only in stages."""
        self.slots.words[ALLOWED] = len(range(self.worker, in_flight, self._workers))

    def stop(self, at_ns: int, drain_s: float | None = None) -> None:
        """Start nothing more from ``at_ns`` on; what is in flight may end within the drain."""
        if drain_s is not None:
            self.slots.words[DRAIN_NS] = int(drain_s * 1e9)
        self.slots.words[STOP_NS] = at_ns
        self._bell.ring()

    def wait_until(self, deadline_ns: int) -> bool:
        """Wait for the process to end; False if it still runs at ``deadline_ns``."""
        left_s = (deadline_ns - time.monotonic_ns()) / 1e9
        try:
            self._started.process.wait(timeout=max(left_s, 0.0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def end_at_once(self, because: str) -> None:
        """Kill it without waiting for its end; ``because`` becomes the reason. Any thread may."""
        if self.alive:
            self._killed_because = self._killed_because or because
            if self._started.pidfd is None:
                self._started.process.kill()
                return
            with suppress(ProcessLookupError):  # it has ended, and its keeper is about to
                signal.pidfd_send_signal(self._started.pidfd, signal.SIGKILL)

    def kill(self, because: str) -> None:
        """Kill it at once; ``because`` becomes the reason of its end."""
        self.end_at_once(because)
        try:
            self._started.process.wait(KEEPER_END_S)
        except subprocess.TimeoutExpired:  # its keeper was stopped
            self._started.process.kill()
            self._started.process.wait()

    def close(self) -> None:
        """Release what it took, and remove what its target stored of passwords; it has ended."""
        remove_secret_files(self._home)
        self._started.close()
        self.slots.close()

    def left_behind(self) -> dict[str, int]:
        """Return the names of the processes that the target left behind, and how many had each.

        They have ended. Called once, when the worker has ended.
        """
        text = self._started.report.read() if not self.alive else b""
        found: dict[str, int] = json.loads(text) if text else {}
        if not text:  # its keeper was killed before it could end them
            found = Counter(end_left_behind(self._home).values())
        return dict(found)

    def printed(self) -> dict[str, int]:
        """Return how many bytes it and its target printed, and how many its log lacks of them.

        Called when the worker has ended.
        """
        self._started.log.close()
        return {
            "printed_bytes": self._started.log.printed_bytes,
            "log_dropped_bytes": self._started.log.dropped_bytes,
        }

    def not_ready_reason(self, limit_s: float) -> str:
        """Say what it was doing when it was not ready after ``limit_s``."""
        hangs = self.slots.totals().in_flight
        what = "a workflow of its cold start has not ended" if hangs else "its target is not open"
        if self.slots.words[IN_SETUP]:
            what = "its setup has not ended"
        return f"not ready after {limit_s:.0f} s: {what}"

    def doing(self) -> str:
        """Return what the process does, as the tail of a sentence; empty where unknown."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""  # it has just ended
        state = stat.rpartition(")")[2].split()[0]
        return f", {_STATES[state]}" if state in _STATES else ""

    def end_reason(self, killed_by_limit: str | None = None, sigkill_sender: str = "") -> str:
        """Say how it ended: ``done``, or what happened with the last words of its log.

        Args:
            killed_by_limit: Why it was killed, if it was killed and not by us.
            sigkill_sender: What is known of who else killed it.
        """
        code = self._started.process.returncode
        if self._killed_because:
            return self._killed_because
        if code == -signal.SIGKILL and killed_by_limit:
            return killed_by_limit
        if code is None:
            return "running"
        if code == 0:
            return "done" if self.closed else ENDED_BY_TARGET
        self._started.log.close()
        log = self._started.log.path.read_text(encoding="utf-8", errors="replace")
        tail = last_words(log, LOG_TAIL)
        what = f"killed by {signal_name(-code)}" if code < 0 else f"exit code {code}"
        sender = sigkill_sender if code == -signal.SIGKILL else ""
        return ": ".join(filter(None, (what, sender, tail)))


def signal_name(number: int) -> str:
    """Return ``SIGKILL`` for 9; most real-time signals have a number alone."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
