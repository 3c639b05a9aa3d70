"""The monitor reads real processes, and a probe that fails is a gap with its reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil

from perf_pipeline.metrics.resource_monitor import ResourceMonitor
from perf_pipeline.metrics.resources import read_samples, resources_of

if TYPE_CHECKING:
    from pathlib import Path


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _refuse() -> tuple[int, int]:
    raise ConnectionRefusedError(111, "Connection refused")


def test_a_process_that_computes_is_seen_to_use_a_core_and_its_memory(tmp_path: Path) -> None:
    """50 MB held and a busy loop for 0.6 s; the truth is the process's own clock."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "x = bytearray(b'x' * 50_000_000); print(flush=True)\nwhile True: pass",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        monitor = ResourceMonitor(tmp_path / "r.jsonl", list, {})
        before_s = psutil.Process(child.pid).cpu_times().user
        monitor.sample(time.monotonic_ns(), [child.pid])
        time.sleep(0.6)
        monitor.sample(time.monotonic_ns(), [child.pid])
        used_s = psutil.Process(child.pid).cpu_times().user - before_s
    finally:
        child.kill()
        child.communicate()

    samples = read_samples(tmp_path / "r.jsonl", 0, 2**63)
    found = resources_of(samples)
    elapsed_s = (samples[1]["at_ns"] - samples[0]["at_ns"]) / 1e9
    assert found.workers_cpu_mean_percent is not None
    assert abs(found.workers_cpu_mean_percent - 100 * used_s / elapsed_s) < 15
    assert found.workers_cpu_mean_percent > 1
    assert found.workers_pss_peak_mb is not None
    assert 50 < found.workers_pss_peak_mb < 80
    assert found.failed_probes == 0


def test_a_probe_that_fails_is_a_gap_with_its_reason(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    probes = {"postgres": lambda: (7, 3), "redis": _refuse}
    monitor = ResourceMonitor(tmp_path / "r.jsonl", lambda: [os.getpid()], probes)

    monitor.sample(1, [ended.pid])
    monitor.sample(2, [])

    first, second = _lines(tmp_path / "r.jsonl")
    assert first["workers"] == []
    assert first["connections"] == {"postgres": [7, 3]}
    assert set(first["problems"]) == {f"workers {ended.pid}", "connections redis"}
    assert "Connection refused" in first["problems"]["connections redis"]
    assert [process["pid"] for process in first["servers"]] == [os.getpid()]
    assert (second["at_ns"], set(second["problems"])) == (2, {"connections redis"})
