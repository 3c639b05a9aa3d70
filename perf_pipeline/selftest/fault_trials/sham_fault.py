"""Failures whose inject does nothing: what shows that evidence does not rest on it."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.faults.taking_back import kind_module
from perf_pipeline.faults.window_play import FaultLog, Watchers, WindowPlay
from perf_pipeline.samples.fault_log import read_faults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import FaultWindow, SettingValue
    from perf_pipeline.faults.fault import Fault, FaultedServer, Place, Sign, State
    from perf_pipeline.samples.fault_log import FaultRecord


class ShamFault:
    """Everything of a failure but ``inject``."""

    def __init__(self, real: Fault) -> None:
        """Stand for a failure."""
        self._real = real

    def preflight(self) -> None:
        """As the real one."""
        self._real.preflight()

    def state(self) -> State:
        """As the real one."""
        return self._real.state()

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """As the real one."""
        return self._real.undo_entry()

    def inject(self) -> None:
        """Do nothing."""

    def sign(self) -> Sign:
        """As the real one."""
        return self._real.sign()

    def undo(self) -> None:
        """As the real one."""
        self._real.undo()


def sham_played(window: FaultWindow, server: FaultedServer | None, folder: Path) -> FaultRecord:
    """Play a window in this process with an ``inject`` that does nothing; returns its record.

    Args:
        window: What is asked for.
        server: Where; None for the machine.
        folder: Made, for its log and its files.
    """
    folder.mkdir(parents=True)
    log = FaultLog(folder)
    log.write(0, "planned", window=asdict(window))

    def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
        return ShamFault(kind_module(window.kind).make(place, settings))

    play = WindowPlay(
        0,
        window,
        server,
        folder=folder,
        seed=1,
        log=log,
        watchers=Watchers(lambda _number, _fault, _folder: None, lambda _number: None),
        ended=threading.Event(),
        make=make,
    )
    play.check()
    play.play(time.monotonic_ns())
    (record,) = read_faults(folder)
    return record
