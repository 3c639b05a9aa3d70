"""One failure in a step of its own, whose processes are killed; and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import psutil

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.fault_journal import read_journal
from perf_pipeline.faults.injector_job import InjectorJob
from perf_pipeline.faults.sweep import sweep
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.fault_log import read_faults
from perf_pipeline.selftest.fault_trials.faulted_step import WORKERS_FILE
from perf_pipeline.selftest.fault_trials.played_here import made_here
from perf_pipeline.servers.service import NotAnsweringError, find_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import Fault, FaultedServer

IN_EFFECT_S = 60.0
"""How long a step may take until its failure acts, on a machine that others use."""
LEFT_S = 40.0
"""How long something may be left until the trial gives up."""
_POLL_S = 0.02
_ASK_S = 2.0
_SETTLED_S, _SAME_S = 5.0, 0.2
_STEP = "perf_pipeline.selftest.fault_trials.faulted_step"


class Victim(StrEnum):
    """What is killed while a failure is in effect."""

    INJECTOR = "injector"
    GUARDIAN = "guardian"
    BOTH = "injector and guardian"
    WORKER = "worker process"
    STEP = "step"
    STEP_AND_INJECTOR = "step and injector"
    ALL = "step, injector and guardian"

    @property
    def is_of_the_guardian(self) -> bool:
        """Only a failure that outlives its process has what this says."""
        return self in {Victim.GUARDIAN, Victim.BOTH, Victim.ALL}

    @property
    def ends_the_run(self) -> bool:
        """The step is killed, so that its run is over."""
        return self in {Victim.STEP, Victim.STEP_AND_INJECTOR, Victim.ALL}


class NotDoneError(PerfPipelineError):
    """The failure was refused or did not act, so nothing can be said of taking it back."""


@dataclass(frozen=True)
class TakenBack:
    """What became of a failure after a kill.

    Attributes:
        seconds: From the kill (or, where nobody was left to take it back, from the next start)
            until nothing was left; None if something was left after ``left_s``.
        left: What was left then, or last; empty if nothing.
        said: What the next start said about it.
    """

    seconds: float | None
    left: str
    said: tuple[str, ...]


class FaultTrial:
    """One window on one server."""

    def __init__(
        self, window: FaultWindow, server: FaultedServer | None, settings: Settings, folder: Path
    ) -> None:
        """Prepare.

        Args:
            window: Long enough for a kill in its middle.
            server: Where; None for the machine.
            settings: Of the runs; their state folder has the journal.
            folder: For the level and for files; made.
        """
        self._window = window
        self._server = server
        self._settings = settings
        self._level = folder / "level"
        self._level.mkdir(parents=True)
        self._probe_folder = folder / "probe"
        self._probe_folder.mkdir()

    def kill(self, victim: Victim, left_s: float = LEFT_S) -> TakenBack:
        """Kill something while the failure acts, and measure until nothing of it is left.

        Args:
            victim: What is killed, all of it within a millisecond or so.
            left_s: After this time what is left is reported.

        Raises:
            NotDoneError: It never acted.
        """
        probe = self._probe()
        before = self._settled(probe)
        with self._step() as step:
            self._wait_until_in_effect(step)
            injector, guardian = self._injector_and_guardian()
            family = [step.pid, *_below(step.pid)]
            of_failure = [pid for pid in _below(injector) if pid != guardian]
            workers = json.loads((self._level / WORKERS_FILE).read_bytes())
            killed = {
                Victim.INJECTOR: [injector],
                Victim.GUARDIAN: [guardian],
                Victim.BOTH: [guardian, injector],
                Victim.WORKER: workers,
                Victim.STEP: [step.pid],
                # The injector first: it follows the step at once, in order.
                Victim.STEP_AND_INJECTOR: [injector, step.pid],
                Victim.ALL: [guardian, injector, step.pid],
            }[victim]
            for pid in killed:
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
            if victim.ends_the_run:
                step.wait()
            begun_s = time.monotonic()
            is_nobody_left = victim is Victim.ALL or (
                victim is Victim.STEP_AND_INJECTOR and guardian is None
            )
            said = tuple(sweep(self._settings)) if is_nobody_left else ()
            ends = family if victim.ends_the_run else of_failure
            left = "not looked at"
            while left and time.monotonic() < begun_s + left_s:
                left = self._left(probe, before, ends)
                time.sleep(_POLL_S if left else 0.0)
            seconds = None if left else time.monotonic() - begun_s
        probe.undo()
        if not is_nobody_left:
            said = tuple(sweep(self._settings))
        return TakenBack(seconds, left, said)

    @contextmanager
    def _step(self) -> Iterator[subprocess.Popen[str]]:
        """Start a step for the block, and end it."""
        servers = {} if self._server is None else {self._server.service: self._server}
        window = replace(self._window, at_s=0.2)
        job = InjectorJob((window,), servers, self._level, 1, self._settings.state_dir, own_stamp())
        with (
            (self._level / "step.log").open("w") as log,
            subprocess.Popen(
                [sys.executable, "-m", _STEP],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
            ) as step,
        ):
            assert step.stdin is not None
            step.stdin.write(job.to_json() + "\n")
            step.stdin.flush()
            try:
                yield step
            finally:
                step.kill()

    def _probe(self) -> Fault:
        """Make the same failure here, for its ``state`` alone: it is not injected."""
        made = made_here(self._window, self._server, self._probe_folder)
        try:
            made.preflight()
        except FaultRefusedError as error:
            raise NotDoneError(str(error)) from error
        return made

    def _wait_until_in_effect(self, step: subprocess.Popen[str]) -> None:
        deadline_s = time.monotonic() + IN_EFFECT_S
        while time.monotonic() < deadline_s:
            (record,) = read_faults(self._level) or (None,)
            if record is not None and record.reason:
                raise NotDoneError(record.reason)
            if record is not None and record.in_effect_ns is not None:
                return
            if step.poll() is not None:
                break
            time.sleep(_POLL_S)
        log = (self._level / "step.log").read_text(encoding="utf-8")
        raise NotDoneError(f"it did not act within {IN_EFFECT_S:g} s; {log[-500:]}")

    def _injector_and_guardian(self) -> tuple[int, int | None]:
        (fault,) = (
            one
            for one in read_journal(self._settings.state_dir).values()
            if one.level == str(self._level)
        )
        return fault.injector.pid, fault.guardian.pid if fault.guardian is not None else None

    def _around(self, probe: Fault) -> dict[str, str]:
        """Return the state of the server, and what surrounds a failure."""
        around = {**probe.state(), "files": str(sorted(self._level.glob("fault-*")))}
        if self._server is not None:
            service = find_service(self._server.service)
            count = service.connection_count(self._server.url, _ASK_S)
            around["connections"] = str(count)
        return around

    def _settled(self, probe: Fault) -> dict[str, str]:
        """Return what surrounds the failure once it stays: a trial before may just have ended."""
        deadline_s = time.monotonic() + _SETTLED_S
        before, now = None, self._around(probe)
        while before != now and time.monotonic() < deadline_s:
            time.sleep(_SAME_S)
            before, now = now, self._around(probe)
        return now

    def _left(self, probe: Fault, before: dict[str, str], ended: list[int]) -> str:
        """Return what is not as it was; empty if nothing."""
        alive = [pid for pid in ended if psutil.pid_exists(pid) and not _is_zombie(pid)]
        if alive:
            return f"processes {alive} live"
        in_journal = [
            path
            for path, one in read_journal(self._settings.state_dir).items()
            if one.level == str(self._level) and not one.undone
        ]
        if in_journal:
            return f"{in_journal[0]} is open"
        try:
            after = self._around(probe)
        except NotAnsweringError as error:
            return f"the server does not answer: {error}"
        different = {**before, **after}
        return "; ".join(
            f"{name} was {before.get(name)} and is {after.get(name)}"
            for name in different
            if before.get(name) != after.get(name)
        )


def _below(pid: int) -> list[int]:
    with suppress(psutil.NoSuchProcess):
        return [one.pid for one in psutil.Process(pid).children(recursive=True)]
    return []


def _is_zombie(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    return True
