"""A failure is taken back within 5 s, whoever is killed in the middle of it.

Two kinds that outlive their process stand for all, with every victim; ``perf-pipeline selftest
faults`` has every kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.selftest.fault_trials.fault_trial import FaultTrial, Victim

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import FaultedServer

pytestmark = pytest.mark.integration

WITHIN_S = 5.0


@pytest.mark.parametrize("victim", Victim)
@pytest.mark.parametrize(
    ("kind", "service"), [("server_freeze", "postgres"), ("server_crash", "redis")]
)
def test_a_failure_is_undone_when_something_of_its_run_is_killed(
    kind: str,
    service: str,
    victim: Victim,
    faulted: dict[str, FaultedServer],
    settings: Settings,
    tmp_path: Path,
) -> None:
    """State, connections, files, journal and processes are those of before."""
    trial = FaultTrial(
        FaultWindow(kind, service, 0.0, 30.0), faulted[service], settings, tmp_path / "trial"
    )
    found = trial.kill(victim)
    assert found.left == ""
    assert found.seconds is not None
    assert found.seconds < WITHIN_S
    if victim in {Victim.STEP, Victim.BOTH}:
        (sentence,) = found.said
        assert sentence.startswith(f"{kind} on {service}, in effect when {tmp_path}")
