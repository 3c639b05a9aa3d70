"""What a target starts belongs to it: real processes, and the kernel's own account of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.host.target_processes import target_processes
from perf_pipeline.metrics.resources.resource_sampler import ResourceSampler
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.metrics.resources.resource_summary import resources_of

if TYPE_CHECKING:
    from collections.abc import Iterator

BURN = "import time\nwhile time.process_time() < {cpu_s}: pass"
SHORT, SHORT_CPU_S = 10, 0.1
STARTS_MANY = f"""
import subprocess, sys, time
held = subprocess.Popen([sys.executable, "-c", "held = bytes([1]) * 60_000_000; input()"],
                        stdin=subprocess.PIPE)
print(flush=True)
sys.stdin.readline()
for _ in range({SHORT}):
    subprocess.run([sys.executable, "-S", "-E", "-c", {BURN.format(cpu_s=SHORT_CPU_S)!r}])
print(flush=True)
sys.stdin.readline()
"""


@contextmanager
def _worker(code: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_children_that_end_between_two_samples_cost_the_target_their_cpu_time(
    tmp_path: Path,
) -> None:
    """Ten of 0.1 s one after the other, and one of 60 MB that stays."""
    path = tmp_path / "r.jsonl"
    with _worker(STARTS_MANY) as worker, ResourceSampler(path, {}) as monitor:
        assert worker.stdin is not None
        assert worker.stdout is not None
        deadline_s = time.monotonic() + 20
        while (resident := _resident_mb(worker.pid)) < 60 and time.monotonic() < deadline_s:
            time.sleep(0.02)
        assert resident >= 60
        monitor.sample(time.monotonic_ns(), [worker.pid])
        worker.stdin.write("\n")
        worker.stdin.flush()
        worker.stdout.readline()
        monitor.sample(time.monotonic_ns(), [worker.pid])

    samples = read_samples(path, 0, 2**63)
    used = resources_of(samples)
    seconds = (samples[1]["at_ns"] - samples[0]["at_ns"]) / 1e9
    assert used.workers_cpu_mean_percent is not None
    cpu_s = used.workers_cpu_mean_percent / 100 * seconds
    assert SHORT * SHORT_CPU_S - 0.05 <= cpu_s < 2 * SHORT * SHORT_CPU_S  # starting them costs
    assert used.ended_children is not None
    ended_s = used.ended_children.cores * seconds
    assert SHORT * SHORT_CPU_S - 0.05 <= ended_s <= cpu_s + 1e-9  # equal but for rounding
    assert used.ended_children.seen == 0  # each came and went between the two samples
    (child,) = [use for use in used.roles if use.role.startswith("child: ")]
    assert child.processes_peak == 1
    assert child.pss_peak_mb is not None
    assert child.pss_peak_mb > 60
    workers_mb = used.of("workers").pss_peak_mb
    assert workers_mb is not None
    assert used.workers_pss_peak_mb == pytest.approx(workers_mb + child.pss_peak_mb, rel=0.02)
    assert used.failed_probes == 0


def test_memory_of_which_a_part_could_not_be_read_in_time_is_not_known(tmp_path: Path) -> None:
    """Time is up after the first process: what the second one has might have been the peak."""
    path = tmp_path / "r.jsonl"
    with _worker(STARTS_MANY) as worker:
        for children_s, is_known in ((10.0, True), (-1.0, False)):
            with ResourceSampler(path, {}, children_s=children_s) as monitor:
                for _ in range(2):
                    monitor.sample(time.monotonic_ns(), [worker.pid])
            used = resources_of(read_samples(path, 0, 2**63))
            assert (used.workers_pss_peak_mb is not None) == is_known
    (why,) = [gap.reason for gap in used.gaps if gap.what == "children"]
    assert "more processes than can be read" in why


def _resident_mb(worker: int) -> float:
    """Return the resident memory of the children of a worker."""
    resident = 0.0
    for pid in target_processes([worker], os.getpid())[worker].children:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        resident += pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return resident


def _plant(proc: Path, pid: int, parent: int, ticks: str, state: str = "S") -> None:
    (proc / str(pid)).mkdir(parents=True)
    text = f"{pid} (a (b) c) {state} {parent} 0 0 0 0 0 0 0 0 0 {ticks} 0 0 1 0 1"
    (proc / str(pid) / "stat").write_text(text, encoding="utf-8")


def test_everything_below_the_keeper_counts_once(tmp_path: Path) -> None:
    """Supervisor 10, keeper 20, worker 30 with child 40; orphan 50 was adopted, 60 is a zombie."""
    _plant(tmp_path, 10, 1, "900 0 900 0")
    _plant(tmp_path, 20, 10, "7 0 100 0")  # reaped an orphan of 1 s
    _plant(tmp_path, 30, 20, "200 0 10 20")
    _plant(tmp_path, 40, 30, "0 50 0 0")
    _plant(tmp_path, 50, 20, "1000 0 0 0")
    _plant(tmp_path, 60, 30, "300 0 0 0", state="Z")
    _plant(tmp_path, 70, 10, "5000 0 0 0")  # not of this worker
    found = target_processes([30, 99], 10, tmp_path)

    assert found.keys() == {30}
    second = os.sysconf("SC_CLK_TCK")
    assert found[30].cpu_s == pytest.approx((100 + 230 + 50 + 1000 + 300) / second)
    assert found[30].children == {40: "a (b) c", 50: "a (b) c"}


def test_a_worker_without_a_keeper_has_what_is_below_it_alone(tmp_path: Path) -> None:
    _plant(tmp_path, 10, 1, "900 0 900 0")
    _plant(tmp_path, 30, 10, "200 0 0 0")
    _plant(tmp_path, 40, 30, "0 50 0 0")
    _plant(tmp_path, 70, 10, "5000 0 0 0")
    found = target_processes([30], 10, tmp_path)

    assert found[30].cpu_s == pytest.approx(250 / os.sysconf("SC_CLK_TCK"))
    assert found[30].children.keys() == {40}
