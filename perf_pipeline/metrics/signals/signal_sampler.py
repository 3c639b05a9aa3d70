"""Samples the signals of an endurance campaign: target and twin, servers, harness, machine."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Self

from perf_pipeline.host.calibration import fixed_work_s
from perf_pipeline.metrics.resources.process import ProcessReader
from perf_pipeline.metrics.resources.server_watch import ServerWatch
from perf_pipeline.metrics.signals.process_signals import USES, add_arm, uses_of
from perf_pipeline.metrics.signals.reading import Reading
from perf_pipeline.metrics.signals.server_signals import add_answer, add_processes
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.samples.campaign.missing_signals import MissingSignal, MissingSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from perf_pipeline.metrics.signals.process_signals import Arm
    from perf_pipeline.servers.probe import WatchedServer

_HARNESS = "harness"


class SignalSampler:
    """Reads all signals of one moment, whenever it is asked."""

    def __init__(
        self,
        arms: Mapping[str, Arm],
        servers: Mapping[str, WatchedServer],
        *,
        keeper_pid: int | None = None,
        calibrate_s: Callable[[], float] = fixed_work_s,
    ) -> None:
        """Prepare; no server is asked before the first sample.

        Args:
            arms: ``target``, and ``twin`` where there is one, to its processes.
            servers: Service to what is watched of it.
            keeper_pid: The process that started the workers' keepers; None for this one.
            calibrate_s: Does fixed work and returns how long that took.
        """
        self._samples = 0
        self._missing: dict[str, MissingSignal] = {}
        self._arms = dict(arms)
        self._watches = {name: ServerWatch(server) for name, server in servers.items()}
        self._keeper_pid = keeper_pid
        self._calibrate_s = calibrate_s
        self._reader = ProcessReader()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the sessions with the servers."""
        for watch in self._watches.values():
            watch.close()

    def sample(self) -> dict[str, float]:
        """Read all signals; one that could not be measured is absent, and counted.

        A server that does not answer holds it up for ``PROBE_S`` at most, and the next time for a
        tenth of a second.

        Returns:
            ``WHO.SIGNAL`` to its value: bytes, seconds or a number of items, as its name says.
        """
        asked_s = time.monotonic()
        for watch in self._watches.values():
            watch.begin()
        reading = Reading()
        for who, arm in self._arms.items():
            add_arm(reading, who, arm, self._reader, self._keeper_pid)
        reading.try_to_add(_HARNESS, USES, lambda: uses_of(self._reader, [os.getpid()]))
        if self._keeper_pid is not None:
            self._add_keeper(reading, self._keeper_pid)
        reading.add("machine", {"calibration_s": self._calibrate_s()}, "")
        for name, watch in self._watches.items():
            add_processes(reading, name, watch.server, self._reader)
            add_answer(reading, name, watch.answer(asked_s))
        self._samples += 1
        for name, reason in reading.gaps.items():
            before = self._missing[name].samples if name in self._missing else 0
            self._missing[name] = MissingSignal(before + 1, redacted(reason))
        return reading.values

    def missing(self) -> MissingSignals:
        """Return which signals the samples so far lack."""
        return MissingSignals(self._samples, dict(self._missing))

    def _add_keeper(self, reading: Reading, pid: int) -> None:
        names = [f"keeper_{signal}" for signal in USES]
        reading.try_to_add(
            _HARNESS,
            names,
            lambda: {f"keeper_{name}": uses for name, uses in uses_of(self._reader, [pid]).items()},
        )
