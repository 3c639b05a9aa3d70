"""How the kernel shares the cores: read from this machine, and judged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from perf_pipeline.host.scheduling import read_scheduling, scheduling_finding
from perf_pipeline.samples.host_record import Scheduling

PROJECT = Path(__file__).parents[3]


def test_policy_and_nice_value_agree_with_other_programs() -> None:
    """Psutil reads the nice value; the policy is what chrt would set."""
    found = read_scheduling()
    assert found.nice == psutil.Process().nice()
    assert found.policy == "SCHED_OTHER"


def test_a_process_with_a_lower_priority_is_recognised() -> None:
    code = (
        "from perf_pipeline.host.scheduling import read_scheduling as r; s = r();"
        "print(s.policy, s.nice)"
    )
    done = subprocess.run(
        ["/usr/bin/nice", "-n", "19", sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["SCHED_OTHER", "19"]


@pytest.mark.parametrize(("text", "autogroup"), [("1\n", True), ("0\n", False), (None, None)])
def test_autogroup_is_read_from_the_kernel(
    tmp_path: Path,
    text: str | None,
    autogroup: bool | None,  # noqa: FBT001 a parameter of pytest's
) -> None:
    """Also of a kernel that was built without it."""
    if text is not None:
        path = tmp_path / "proc/sys/kernel/sched_autogroup_enabled"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert read_scheduling(tmp_path).autogroup is autogroup


def test_the_finding_explains_what_a_separate_session_means() -> None:
    grouped = scheduling_finding(Scheduling(True, "SCHED_OTHER", 0))
    assert (grouped.value, grouped.severity) == ("autogroup on, SCHED_OTHER, nice 0", "ok")
    assert "however many threads it has" in grouped.meaning
    each_thread = scheduling_finding(Scheduling(False, "SCHED_OTHER", 0))
    assert (each_thread.severity, each_thread.todo) == ("ok", "")
    assert "every thread gets an equal share" in each_thread.meaning


@pytest.mark.parametrize(("policy", "nice"), [("SCHED_OTHER", 10), ("SCHED_IDLE", 0)])
def test_a_run_that_would_yield_to_everything_else_is_warned_of(policy: str, nice: int) -> None:
    found = scheduling_finding(Scheduling(None, policy, nice))
    assert found.severity == "warning"
    assert found.value == f"no autogroup, {policy}, nice {nice}"
    assert found.todo
