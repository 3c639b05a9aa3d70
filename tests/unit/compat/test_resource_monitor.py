"""The monitor sees this process and its children."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from perf_pipeline import ResourceMonitor

HOLD_60_MB_AND_A_CORE = """
import time
held = bytearray(60_000_000)
held[::4096] = b"x" * len(held[::4096])
print("ready", flush=True)
end = time.monotonic() + 60
while time.monotonic() < end:
    pass
"""


WATCH_A_CHILD = """
import json, subprocess, sys, time
import psutil
from perf_pipeline import ResourceMonitor
monitor = ResourceMonitor(collection_interval=0.2)
monitor.start_monitoring()
time.sleep(0.3)
alone = monitor.get_peak_metrics()
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.readline()
used = lambda: sum(psutil.Process(child.pid).cpu_times()[:2])
began, before = time.monotonic(), used()
while used() - before < 0.4:
    time.sleep(0.1)  # others may have the cores
share_percent = 100 * (used() - before) / (time.monotonic() - began)
monitor.stop_monitoring()
child.kill()
child.communicate()
print(json.dumps([alone, monitor.get_peak_metrics(), share_percent]))
"""


def test_memory_and_cpu_of_a_child_are_counted() -> None:
    """In a separate process, whose only child is planted; the truth is the child's clock."""
    command = [sys.executable, "-c", WATCH_A_CHILD, HOLD_60_MB_AND_A_CORE]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    alone, both, share_percent = json.loads(output)

    assert both["peak_memory_mb"] > alone["peak_memory_mb"] + 55
    assert both["peak_cpu_percent"] > 0.7 * share_percent
    assert both["samples"] > alone["samples"] >= 1


def test_a_last_sample_is_taken_however_long_the_interval() -> None:
    monitor = ResourceMonitor()
    monitor.start_monitoring()
    monitor.stop_monitoring()

    assert monitor.get_peak_metrics()["samples"] >= 1


def test_it_can_be_used_again_and_forgets_what_was_before() -> None:
    monitor = ResourceMonitor(collection_interval=0.01)
    monitor.start_monitoring()
    time.sleep(0.3)
    monitor.stop_monitoring()
    first = monitor.get_peak_metrics()["samples"]
    monitor.start_monitoring()
    monitor.stop_monitoring()

    assert monitor.get_peak_metrics()["samples"] < first


def test_wrong_use_is_reported() -> None:
    monitor = ResourceMonitor()
    with pytest.raises(RuntimeError, match="call start_monitoring first"):
        monitor.stop_monitoring()
    monitor.start_monitoring()
    with pytest.raises(RuntimeError, match="call stop_monitoring first"):
        monitor.start_monitoring()
    monitor.stop_monitoring()
    with pytest.raises(ValueError, match="collection_interval is 0"):
        ResourceMonitor(collection_interval=0)
