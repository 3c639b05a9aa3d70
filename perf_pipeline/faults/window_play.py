"""Takes one failure through its window: check, inject, observe, take back, see it gone."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.fault.fault_window import SettingValue
from perf_pipeline.faults.fault import (
    EVIDENCE_EVERY_S,
    FaultRefusedError,
    NotPossibleHereError,
    Place,
)
from perf_pipeline.faults.taking_back import OWN_FOLDER, kind_module
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.samples.fault_log import FAULTS_FILE, line
from perf_pipeline.servers.lifecycle.started_server import started_server

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.faults.fault import Fault, FaultedServer, State
    from perf_pipeline.faults.fault_lines import FaultLines
    from perf_pipeline.samples.fault_log import Step

GONE_S = 30.0
"""How long the state before may take to come back: a crashed server replays its log."""
_POLL_S = 0.1
_SHORTEST_LEAD_S = 1.0
"""A failure that comes sooner keeps what it opened before the load began."""
_KEPT_READY_S = 20.0
"""How long that may take until it is ready, while nothing waits but the load."""
_BEFORE_WINDOW_S = 1.0
"""A failure that is made ready during the load is so this long before its window, at the latest."""
_NOT_IN_TIME = "its window was over before it was ready"


FaultMaker = Callable[[Place, Mapping[str, SettingValue]], "Fault"]


class FaultLog:
    """Appends what happens to failures to the log of their level; for several threads.

    A disk that is full, or a level whose folder was removed, keeps no failure from being taken
    back: what cannot be written is left out, and what is not in the log proves nothing.
    """

    def __init__(
        self,
        folder: Path,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        lines: FaultLines | None = None,
    ) -> None:
        """Write into the level's folder, and what people follow into the process's log."""
        self._lines = lines
        self._path = folder / FAULTS_FILE
        self._clock_ns = clock_ns
        self._lock = threading.Lock()

    def write(self, number: int, step: Step, *, at_ns: int | None = None, **values: object) -> None:
        """Write that a step of a failure happened at a time; None for now."""
        at_ns = self._clock_ns() if at_ns is None else at_ns
        with self._lock, suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(line(number, step, at_ns, **values))
        if self._lines is not None:
            self._lines.write(number, step, values)


@dataclass(frozen=True)
class Watchers:
    """Who must know that a failure is in effect, in case its injector dies.

    Attributes:
        opened: Called with the window's number, the failure and its own folder, before it is
            injected; returns when that is on the disk.
        closed: Called with the number once it is gone.
    """

    opened: Callable[[int, Fault, Path], None]
    closed: Callable[[int], None]


class WindowPlay:
    """One window; ``check``, then ``play`` in a thread of its own.

    Attributes:
        is_in_effect: It was injected and is not known to be gone.
        is_over: It is gone, or was refused; nothing of it will follow.
    """

    def __init__(
        self,
        number: int,
        window: FaultWindow,
        server: FaultedServer | None,
        *,
        folder: Path,
        seed: int,
        log: FaultLog,
        watchers: Watchers,
        ended: threading.Event,
        make: FaultMaker | None = None,
    ) -> None:
        """Prepare.

        Args:
            number: Its place in the scenario.
            window: What is asked for.
            server: Where; None for the machine.
            folder: The level's folder.
            seed: Of the scenario.
            log: Takes what happens.
            watchers: Told before it is injected and after it is gone.
            ended: Set when every failure is to be taken back now.
            make: Makes the failure; None for what its kind's module has.
        """
        self.is_in_effect = self.is_over = False
        self._number = number
        self._window = window
        self._server = server
        self._lead_s = FAULT_KINDS[window.kind].lead_s
        self._own_folder = folder / f"{OWN_FOLDER}{number}"
        self._seed = seed
        self._log = log
        self._watchers = watchers
        self._ended = ended
        self._make = make
        self._fault: Fault | None = None
        self._before: State = {}

    def check(self) -> None:
        """Find out whether it can be done, before the load begins."""
        # What it opened may be lost until then, or be missed by workers that connect.
        is_kept = self._window.at_s < min(self._lead_s, _SHORTEST_LEAD_S)
        try:
            self._fault = self._made(_KEPT_READY_S if is_kept else 0.0)
            self._before = self._fault.state()
            if not is_kept:
                self._fault.undo()
                self._fault = None
        except FaultRefusedError as error:
            self._refuse(error)
        except Exception as error:  # noqa: BLE001 - recorded with the window
            self._fail(error)
            self.is_over = True

    def play(self, steady_ns: int) -> None:
        """Play it; returns when it is gone, or could not be brought to an end.

        Args:
            steady_ns: When the steady phase begins, CLOCK_MONOTONIC.
        """
        begin_ns = steady_ns + int(self._window.at_s * 1e9)
        end_ns = steady_ns + int(self._window.end_s * 1e9)
        if self.is_over or not self._waited(begin_ns - int(self._lead_s * 1e9)):
            self._discard()
            return
        fault: Fault | None = None
        try:
            if self._fault is None:
                self._fault = self._made(max(0.0, self._lead_s - _BEFORE_WINDOW_S))
                self._before = self._fault.state()
            fault = self._fault
            if self._waited(begin_ns):
                self._inject(fault, end_ns)
        except FaultRefusedError as error:
            self._refuse(error)
        except Exception as error:  # noqa: BLE001 - recorded with the window
            self._fail(error)
        if fault is None or not self.is_in_effect:
            self._discard()
        else:
            self._take_back(fault, self._before)

    def _made(self, ready_within_s: float) -> Fault:
        if self._window.server and self._server is None:
            raise FaultRefusedError(
                f"this run has no {self._window.server} server: its workflows use none, or it is "
                "unavailable and left out"
            )
        row = FAULT_KINDS[self._window.kind]
        settings = {name: one.default for name, one in row.settings.items()}
        shutil.rmtree(self._own_folder, ignore_errors=True)
        self._own_folder.mkdir()
        place = Place(
            server=self._server,
            folder=self._own_folder,
            rng=random.Random(f"{self._seed}:{self._number}"),
            clock_ns=time.monotonic_ns,
            sleep=time.sleep,
            ready_within_s=ready_within_s,
            has_ended=self._ended.is_set,
        )
        make: FaultMaker = self._make or kind_module(row.name).make
        fault = make(place, {**settings, **self._window.settings})
        self._fault = fault
        fault.preflight()
        return fault

    def _inject(self, fault: Fault, end_ns: int) -> None:
        """Inject it and observe it until its window, or the level, is over."""
        if time.monotonic_ns() >= end_ns:
            raise FaultRefusedError(_NOT_IN_TIME)
        self._watchers.opened(self._number, fault, self._own_folder)
        self.is_in_effect = True
        self._log.write(self._number, "injecting")
        fault.inject()
        due_ns, is_proven = time.monotonic_ns(), False
        while time.monotonic_ns() < end_ns and not self._ended.is_set():
            begun_ns = time.monotonic_ns()  # whatever is late now was sent, or asked, then
            sign = fault.sign()
            if sign.in_effect and not is_proven:
                is_proven = True
                self._log.write(self._number, "in_effect", at_ns=begun_ns)
            self._log.write(
                self._number,
                "sign",
                at_ns=begun_ns,
                in_effect=sign.in_effect,
                value=sign.value,
                text=redacted(sign.text),
            )
            due_ns = max(time.monotonic_ns(), due_ns + int(EVIDENCE_EVERY_S * 1e9))
            self._waited(min(due_ns, end_ns))

    def _take_back(self, fault: Fault, before: State) -> None:
        """Undo it, and see that it is gone and that everything is as before."""
        self._log.write(self._number, "undoing")
        problem = ""
        try:
            fault.undo()
        except Exception as error:  # noqa: BLE001 - recorded; the state says whether it is gone
            problem = f"undo: {error}; "
        deadline_s = time.monotonic() + GONE_S
        while left := self._left_of(fault, before):
            if time.monotonic() > deadline_s:
                self._fail(f"{problem}{GONE_S:g} s after its end {left}")
                return
            time.sleep(_POLL_S)
        self._log.write(self._number, "gone")
        self.is_in_effect, self.is_over = False, True
        self._discard()
        self._watchers.closed(self._number)

    def _left_of(self, fault: Fault, before: State) -> str:
        """Return what is not as before, for people; empty if it is gone."""
        data_folder = self._server.data_folder if self._server is not None else None
        if data_folder is not None and started_server(data_folder.parent) is None:
            return ""  # its server has ended with the run
        try:
            sign = fault.sign()
            if sign.in_effect:
                return f"it is still in effect: {sign.text}"
            after = fault.state()
        except Exception as error:  # noqa: BLE001 - a server that starts refuses in many ways
            return f"the server cannot be asked: {error}"
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        return "; ".join(f"{n} was {before.get(n)!r} and is {after.get(n)!r}" for n in names)

    def _discard(self) -> None:
        """Close what ``preflight`` opened, and remove its own files."""
        if self._fault is not None:
            try:
                self._fault.undo()
            except Exception as error:  # noqa: BLE001 - recorded with the window
                self._fail(error)
        shutil.rmtree(self._own_folder, ignore_errors=True)

    def _waited(self, until_ns: int) -> bool:
        """Wait until then; returns False at once when every failure is to end."""
        left_s = (until_ns - time.monotonic_ns()) / 1e9
        return not self._ended.wait(max(0.0, left_s))

    def _refuse(self, error: FaultRefusedError) -> None:
        self.is_over = True
        step: Step = "not_possible" if isinstance(error, NotPossibleHereError) else "refused"
        self._log.write(self._number, step, reason=redacted(str(error)))

    def _fail(self, why: object) -> None:
        text = f"{type(why).__name__}: {why}" if isinstance(why, Exception) else str(why)
        self._log.write(self._number, "failed", reason=redacted(text))
