"""Every selftest, through the command that a user types."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.selftest.figure import Size
from perf_pipeline.selftest.monitoring import NO_PROMETHEUS
from perf_pipeline.selftest.registry import selftests
from perf_pipeline.servers.monitors.monitor import find_program

SIMULATED = ("coverage", "detect", "leaks", "merge", "recovery", "soak", "warmup")
"""These compute on simulated records: nothing beside them changes what they find."""
WITHOUT_LOAD = {Size.CI: (*SIMULATED, "capacity", "regression"), Size.FULL: SIMULATED}
"""At size full two of them play real levels as well."""
LONG = ("faults", "monitoring", "noise", "shards", "steps", "waiting", "why")
"""Minutes of waiting, or many levels of which the claim is a statistic; what they rest on has tests
of its own: the trials in tests/integration/faults, neighbours in test_noisy_host.py, shards in
tests/integration/shards and tests/unit/selftest/shards, steps in test_steps.py, the imports before
a run in tests/unit, the intervals of a function's move in tests/known_truth. `make test-docker`
runs monitoring.
"""
COMMAND = (str(Path(sys.executable).with_name("perf-pipeline")), "selftest")
CI_LIMIT_S, FULL_LIMIT_S = 120, 1500
"""On a quiet machine selftests take 5 s and 150 s, and inflight 20 minutes at size full."""
LONGER = {"faults": 2.0}
"""It starts four servers, and kills something in the middle of thirteen failures."""


def _names(size: Size) -> list[object]:
    """Every selftest; alone what puts load on the machine, and slow what takes minutes."""
    return [
        pytest.param(
            name,
            marks=[
                *([] if name in WITHOUT_LOAD[size] else [pytest.mark.alone]),
                *([pytest.mark.slow] if name in LONG else []),
            ],
        )
        for name in selftests()
    ]


def _run(name: str, size: str, limit_s: float) -> dict[str, object]:
    if name == "monitoring" and find_program(current_settings(), "prometheus") is None:
        pytest.skip(NO_PROMETHEUS)
    ended = subprocess.run(
        [*COMMAND, name, "--size", size, "--json"],
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    outcome: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    assert "pass" in outcome, (outcome, ended.stderr)
    assert ended.returncode == (0 if outcome["pass"] else 1), ended.stderr
    return outcome


def _told(outcome: dict[str, object]) -> str:
    """Every figure on a line, so that pytest leaves none out."""
    return json.dumps(outcome["figures"], indent=0)


@pytest.mark.integration
@pytest.mark.parametrize("name", _names(Size.CI))
def test_a_claim_holds_at_size_ci(name: str) -> None:
    outcome = _run(name, "ci", LONGER.get(name, 1.0) * CI_LIMIT_S)

    assert outcome["pass"], _told(outcome)


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(FULL_LIMIT_S + 30)
@pytest.mark.parametrize("name", _names(Size.FULL))
def test_a_claim_holds_at_size_full(name: str) -> None:
    outcome = _run(name, "full", FULL_LIMIT_S)

    assert outcome["pass"], _told(outcome)
