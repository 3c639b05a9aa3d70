"""A server that dies in mid-level delays the end of its run by seconds, not by its time-outs."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.run import Run
from perf_pipeline.samples.run_record import COMPLETE
from perf_pipeline.servers.lifecycle.folder import processes_in
from perf_pipeline.servers.lifecycle.services import ServiceSession
from tests.integration.levels.loads import QUICK

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.supervise.level_log import Progress

pytestmark = [pytest.mark.integration, pytest.mark.slow]

STEADY_S, DRAIN_S = 2.5, 1.0
DYING = replace(
    QUICK,
    phases=Phases(
        ramp_up_s=0.1, warm_up_s=0.2, steady_s=STEADY_S, steady_max_s=STEADY_S, drain_s=DRAIN_S
    ),
)
LATE_S = 20.0
"""Time-outs of drivers are 15 to 60 s for each question, and a run asks several times."""


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
@pytest.mark.parametrize("service", ["postgres", "mongodb"])
def test_a_run_whose_server_dies_ends_soon(
    service: str, how: signal.Signals, served: Settings
) -> None:
    """A server of the user's, so that its data would be removed; it stands still or is killed."""
    died_s: list[float] = []
    with ServiceSession(replace(served, urls={}), [service]) as session:
        dying = session.servers[service]
        assert dying.folder is not None

        def die(progress: Progress) -> None:
            if progress.phase == "steady" and not died_s:
                for pid in processes_in(dying.folder):  # type: ignore[arg-type]
                    os.kill(pid, how)
                died_s.append(time.monotonic())

        settings = replace(served, urls={**served.urls, service: dying.url})
        with (
            pytest.raises(ServiceUnavailableError, match="clearing op removes it"),
            Run(DYING, settings) as run,
        ):
            run.load(die)
        assert time.monotonic() - died_s[0] < STEADY_S + DRAIN_S + LATE_S
    assert run.folder.read_status()["status"] == COMPLETE
