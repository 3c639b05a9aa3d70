"""``FailureInjector`` as users know it: a real failure for the time of a ``with`` block.

The failure is played as in a scenario: by a process of its own, with a guardian, from a journal,
with evidence. A block in which it was not in effect does not pass for one that survived it.
"""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.compat.failure_plan import DEFAULT_TYPES, server_of
from perf_pipeline.compat.load_test_config import LoadTestConfig
from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.wording import did_you_mean, listed, shown
from perf_pipeline.errors import PerfPipelineError, ServiceUnavailableError
from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.marker import faulted_server
from perf_pipeline.faults.player import play_faults
from perf_pipeline.samples.fault_log import read_faults
from perf_pipeline.servers.lifecycle.resolve import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import FaultedServer
    from perf_pipeline.samples.fault_log import FaultRecord

MAX_FAILURE_S = 3600.0
"""A failure ends by itself after this time, in a block that does not."""

START_S = 15.0
"""How long a failure may take to be in effect."""

_POLL_S = 0.02


class FailureInjector:
    """Injects failures into the servers that run, and into the machine.

    Attributes:
        config: The options.
        failures: What became of each failure that was injected, in their order.
    """

    def __init__(
        self,
        config: LoadTestConfig | None = None,
        *,
        settings: Settings | None = None,
        seed: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is injected.

        Args:
            config: The options; None for the defaults.
            settings: Paths and addresses; None for those of the environment.
            seed: Source of the choices of ``failure_of`` and of the failures.
            clock: Monotonic, seconds.
            sleep: Waits for so many seconds.
        """
        self.config = config or LoadTestConfig()
        self.failures: list[FaultRecord] = []
        self._settings = settings or current_settings()
        self._seed = seed
        self._clock = clock
        self._sleep = sleep

    def failure_of(self, number: int) -> str | None:
        """Return the type of the failure that workflow ``number`` should meet; None for none.

        A share ``failure_rate`` of all workflows has one; the same seed gives the same choice.
        Without ``enable_failure_injection`` none has.
        """
        rng = random.Random(f"{self._seed}/failure/{number}")
        if not self.config.enable_failure_injection or rng.random() >= self.config.failure_rate:
            return None
        return rng.choice(self.config.failure_types or DEFAULT_TYPES)

    @contextmanager
    def inject_failure(self, failure_type: str, *, server: str | None = None) -> Iterator[None]:
        """Have a failure in effect inside the block; at its end everything is as before.

        Args:
            failure_type: ``database_timeout``, ``connection_exhaustion``, ``memory_pressure``,
                ``resource_exhaustion`` or any other of ``config.fault.fault_kinds``.
            server: The service that it is done to; None for the first that runs.

        Raises:
            ServiceUnavailableError: No server runs to which it can be done.
            PerfPipelineError: There is no such failure, it is refused here, it was not in effect
                when the block began, or for less than 95 % of the block, or was not taken back.
        """
        servers = self._servers(failure_type, server)
        window = FaultWindow(failure_type, next(iter(servers), ""), 0.0, MAX_FAILURE_S)
        with tempfile.TemporaryDirectory(prefix="perf_pipeline-failure-") as name:
            folder = Path(name)
            play = play_faults(
                (window,), servers, folder, self._seed, state_dir=self._settings.state_dir
            )
            try:
                play.begin(time.monotonic_ns())
                self._wait_for_effect(folder)
                yield
            finally:
                end_ns = time.monotonic_ns()
                left = play.stop()
                (found,) = read_faults(folder)
                self.failures.append(found := _of_block(found, end_ns))
        if found.gone_ns is None:
            raise PerfPipelineError(
                f"{found.window.name} was not taken back by itself: "
                f"{found.reason or 'its injector died'}. {' '.join(left)}".rstrip()
            )
        if not found.is_valid:
            raise PerfPipelineError(
                f"{found.window.name} was in effect for {100 * found.evidence_share:.0f} % of the "
                "block (at least 95 % are needed), so the block shows nothing about it. "
                f"{found.reason}"
            )

    def _servers(self, failure_type: str, server: str | None) -> Mapping[str, FaultedServer]:
        kind = FAULT_KINDS.get(failure_type)
        if kind is None:
            known = tuple(FAULT_KINDS)
            near = did_you_mean(failure_type, known) or f"there are {listed(known)}."
            raise PerfPipelineError(f"{shown(failure_type)} is no failure; {near}")
        if not kind.servers:
            return {}
        if server is not None and server_of(failure_type, (server,)) is None:
            why = kind.not_on.get(server, f"it is done to {listed(kind.servers)}")
            raise PerfPipelineError(f"{failure_type} on {shown(server)} makes no sense: {why}.")
        wanted = (server,) if server is not None else kind.servers
        for service in wanted:
            running, _notes = running_server(self._settings, service)
            if running is not None:
                try:
                    return {service: faulted_server(running)}
                except FaultRefusedError as error:
                    raise PerfPipelineError(str(error)) from error
        raise ServiceUnavailableError(
            f"{failure_type} needs a server, and no {listed(wanted)} runs: start the servers "
            "(perf-pipeline start) before the block."
        )

    def _wait_for_effect(self, folder: Path) -> None:
        ends_s = self._clock() + START_S
        while self._clock() < ends_s:
            (found,) = read_faults(folder)
            if found.in_effect_ns is not None:
                return
            if found.reason:
                raise PerfPipelineError(f"{found.window.name} was not injected: {found.reason}")
            self._sleep(_POLL_S)
        raise PerfPipelineError(
            f"{found.window.name} was injected, and after {START_S:g} s nothing shows that it is "
            "in effect"
        )


def _of_block(record: FaultRecord, end_ns: int) -> FaultRecord:
    """Return the record with the block for its window: from its effect to the end of the block."""
    if record.in_effect_ns is None or record.undoing_ns is None:
        return record
    length_s = max(1e-9, (max(end_ns, record.undoing_ns) - record.in_effect_ns) / 1e9)
    return replace(record, window=replace(record.window, duration_s=length_s))
