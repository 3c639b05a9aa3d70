"""Logs what happens to failures: each step, and evidence where it begins or ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from perf_pipeline.logs.run_log import fault_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.logs.ecs import Level, Outcome
    from perf_pipeline.logs.log import Log
    from perf_pipeline.samples.fault_log import Step

_SHOWN: dict[Step, tuple[Level, Outcome | None, str]] = {
    "planned": ("info", None, "is planned"),
    "refused": ("error", "failure", "is refused"),
    "not_possible": ("warning", "failure", "is not possible here"),
    "injecting": ("info", None, "is being injected"),
    "in_effect": ("info", "success", "is in effect"),
    "undoing": ("info", None, "is being taken back"),
    "gone": ("info", "success", "is gone, and everything is as before"),
    "failed": ("error", "failure", "failed"),
    "sign": ("info", None, "evidence"),
}


class FaultLines:
    """Writes the lines of the failures of one level; for several threads."""

    def __init__(self, log: Log, windows: Sequence[FaultWindow]) -> None:
        """Begin.

        Args:
            log: Of this process.
            windows: The failures, by their number.
        """
        self._log = log
        self._windows = windows
        self._lock = threading.Lock()
        self._evidence: dict[int, bool] = {}

    def write(self, number: int, step: Step, values: Mapping[str, object]) -> None:
        """Write a line about a step; of evidence, four a second, only where it changed."""
        if step == "sign" and not self._has_changed(number, in_effect=bool(values["in_effect"])):
            return
        window = self._windows[number]
        level, outcome, text = _SHOWN[step]
        detail = str(values.get("reason") or values.get("text") or "")
        if step == "sign":
            outcome = "success" if values["in_effect"] else "failure"
        self._log.write(
            level,
            f"fault-{step.replace('_', '-')}",
            f"{window.name} {text}" + (f": {detail}" if detail else ""),
            dataset="fault",
            outcome=outcome,
            labels={"fault_id": fault_id(window.kind, number), "backend": window.server},
        )

    def _has_changed(self, number: int, *, in_effect: bool) -> bool:
        with self._lock:
            has_changed = self._evidence.get(number) is not in_effect
            self._evidence[number] = in_effect
            return has_changed
