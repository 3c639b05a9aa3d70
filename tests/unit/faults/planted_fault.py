"""A failure in memory, for tests of what plays failures."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.faults.fault import FaultRefusedError, NotPossibleHereError, Sign
from perf_pipeline.faults.window_play import FaultLog, FaultMaker, Watchers, WindowPlay
from perf_pipeline.samples.fault_log import FaultRecord, read_faults

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from perf_pipeline.faults.fault import State


class PlantedFault:
    """It acts while ``acts`` says so; each call is noted."""

    def __init__(
        self,
        *,
        is_sham: bool = False,
        refusal: str = "",
        leaves: str = "",
        is_possible: bool = True,
    ) -> None:
        self.is_sham, self.refusal, self.leaves = is_sham, refusal, leaves
        self.is_possible = is_possible
        self.calls: list[str] = []
        self.acts = False
        self.raises_at = ""

    def preflight(self) -> None:
        self._called("preflight")
        if self.refusal:
            kind = FaultRefusedError if self.is_possible else NotPossibleHereError
            raise kind(self.refusal)

    def state(self) -> State:
        self._called("state")
        return {"setting": self.leaves if "inject" in self.calls else ""}

    def undo_entry(self) -> dict[str, str]:
        return {"url": "redis://:secret@host:1/0"}

    def inject(self) -> None:
        self._called("inject")
        self.acts = not self.is_sham

    def sign(self) -> Sign:
        self._called("sign")
        return Sign(self.acts, float(self.acts), f"acts: {self.acts}")

    def undo(self) -> None:
        self._called("undo")
        self.acts = False

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name == self.raises_at:
            raise RuntimeError(f"{name} went wrong")


def play(
    fault: PlantedFault,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    duration_s: float = 0.6,
    end_after_s: float | None = None,
    watchers: Watchers | None = None,
) -> FaultRecord:
    """Play a window with the failure now, and return what was logged of it."""
    monkeypatch.setattr("perf_pipeline.faults.window_play.GONE_S", 0.3)
    ended = threading.Event()
    one = window_play(
        fault,
        folder,
        FaultWindow("memory_pressure", "", 0.0, duration_s),
        ended=ended,
        watchers=watchers,
    )
    one.check()
    if end_after_s is not None:
        threading.Timer(end_after_s, ended.set).start()
    one.play(time.monotonic_ns())
    (record,) = read_faults(folder)
    return record


def window_play(
    fault: PlantedFault | None,
    folder: Path,
    window: FaultWindow,
    *,
    ended: threading.Event,
    watchers: Watchers | None = None,
    make: FaultMaker | None = None,
) -> WindowPlay:
    """Return what plays a window with the failure, or with what is made."""
    log = FaultLog(folder)
    log.write(0, "planned", window=vars(window))
    return WindowPlay(
        0,
        window,
        None,
        folder=folder,
        seed=1,
        log=log,
        watchers=watchers or Watchers(lambda _number, _fault, _folder: None, lambda _number: None),
        ended=ended,
        make=make or (lambda _place, _settings: fault),
    )
