"""Plays a window in this process; also with an inject that does nothing, which must show."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.faults.fault import FaultRefusedError, Place
from perf_pipeline.faults.taking_back import kind_module
from perf_pipeline.faults.window_play import FaultLog, Watchers, WindowPlay
from perf_pipeline.samples.fault_log import read_faults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import FaultWindow, SettingValue
    from perf_pipeline.faults.fault import Fault, FaultedServer, Sign, State
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


def made_here(window: FaultWindow, server: FaultedServer | None, folder: Path) -> Fault:
    """Make a failure in this process; nothing is done yet.

    Args:
        window: What is asked for.
        server: Where; None for the machine.
        folder: For its files; empty.
    """
    place = Place(server, folder, random.Random(0), time.monotonic_ns, time.sleep)
    row = FAULT_KINDS[window.kind]
    settings = {name: one.default for name, one in row.settings.items()}
    made: Fault = kind_module(row.name).make(place, {**settings, **window.settings})
    return made


def why_refused(window: FaultWindow, server: FaultedServer | None, folder: Path) -> str:
    """Return why a failure cannot be done here; empty if it can. Arguments as ``made_here``."""
    folder.mkdir(parents=True)
    fault = made_here(window, server, folder)
    try:
        fault.preflight()
    except FaultRefusedError as error:
        return str(error)
    finally:
        fault.undo()
    return ""


def played_here(
    window: FaultWindow, server: FaultedServer | None, folder: Path, *, is_sham: bool
) -> FaultRecord:
    """Play a window in this process, and return its record.

    Args:
        window: What is asked for.
        server: Where; None for the machine.
        folder: Made, for its log and its files.
        is_sham: Its ``inject`` does nothing.
    """
    folder.mkdir(parents=True)
    log = FaultLog(folder)
    log.write(0, "planned", window=asdict(window))

    def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
        real: Fault = kind_module(window.kind).make(place, settings)
        return ShamFault(real) if is_sham else real

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
