"""The monitor sees real processes rightly, and what it cannot read is a gap with its reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from perf_pipeline.metrics.resources.process import MANY_THREADS, ProcessReader
from perf_pipeline.metrics.resources.resource_sampler import ResourceSampler
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.metrics.resources.resource_summary import resources_of
from perf_pipeline.servers.probe import WatchedServer
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.servers.snapshot import ConnectionCounts, Counters, ServerSnapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HELD_MB = 50
MIN_USED_S = 0.25
COMPUTES_AND_HOLDS = f"""
import os, socket, threading
block = bytearray(b"x" * {HELD_MB * 1_000_000})
files = [open(os.devnull) for _ in range(40)]
waits = threading.Event()
for _ in range(7):
    threading.Thread(target=waits.wait, daemon=True).start()
print(flush=True)
while True:
    pass
"""
MANY = f"""
import threading
waits = threading.Event()
for _ in range({MANY_THREADS + 20}):
    threading.Thread(target=waits.wait, daemon=True).start()
print(flush=True)
waits.wait()
"""


@contextmanager
def _running(code: str, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, **how)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.communicate()


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class _Server:
    """A server whose answers are given; a real one is asked in tests/integration."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.closed = False

    def ask(self) -> ServerSnapshot:
        if self.error is not None:
            raise self.error
        counters = Counters(None, None, 5, 0.1, None, "its own count")
        return ServerSnapshot(
            ConnectionCounts(7, 3, 4, 0, "all"), counters, {"sent_bytes": "does not count"}
        )

    def close(self) -> None:
        self.closed = True


def test_a_process_that_computes_is_seen_with_its_core_memory_threads_and_descriptors(
    tmp_path: Path,
) -> None:
    """50 MB, 40 files, 8 threads and a busy loop; the truth is the process's own clock."""
    path = tmp_path / "r.jsonl"
    with _running(COMPUTES_AND_HOLDS) as child, ResourceSampler(path, {}) as monitor:
        descriptors = psutil.Process(child.pid).num_fds()
        clock = _clock_of(child.pid)
        before_s = time.clock_gettime(clock)
        monitor.sample(time.monotonic_ns(), [child.pid])
        begun_s = time.clock_gettime(clock)
        time.sleep(0.5)
        while (ending_s := time.clock_gettime(clock)) - begun_s < MIN_USED_S:
            time.sleep(0.05)  # others have the cores
        monitor.sample(time.monotonic_ns(), [child.pid])
        after_s = time.clock_gettime(clock)

    samples = read_samples(path, 0, 2**63)
    workers = resources_of(samples).of("workers")
    elapsed_s = (samples[1]["at_ns"] - samples[0]["at_ns"]) / 1e9
    # A sample reads the time at some moment of its own, in hundredths of a second.
    least_s, most_s = ending_s - begun_s, after_s - before_s
    assert 0.85 * least_s < workers.cores_mean * elapsed_s < 1.15 * most_s
    assert workers.uss_peak_mb is not None
    assert workers.pss_peak_mb is not None
    assert workers.rss_peak_mb is not None
    assert HELD_MB < workers.uss_peak_mb <= workers.pss_peak_mb <= workers.rss_peak_mb < 80
    assert (workers.threads_peak, workers.descriptors_peak) == (8, descriptors)
    assert descriptors >= 43
    assert workers.run_delay is not None
    # A thread alone that always wants a core waits when it does not have one.
    assert workers.run_delay == pytest.approx(1 - least_s / elapsed_s, abs=0.2)
    assert resources_of(samples).failed_probes == 0


def test_the_sample_holds_what_it_cost_and_the_machine(tmp_path: Path) -> None:
    with ResourceSampler(tmp_path / "r.jsonl", {}) as monitor:
        monitor.sample(1, [])
    (line,) = _lines(tmp_path / "r.jsonl")
    assert 0 < line["cpu_ms"] < line["took_ms"] + 1
    assert line["host"]["cores_usable"] == len(os.sched_getaffinity(0))
    assert line["host"]["network"]["lo"]["sent_bytes"] == pytest.approx(
        psutil.net_io_counters(pernic=True)["lo"].bytes_sent, rel=0.01, abs=1e7
    )
    assert line["host"]["busy_s"] == pytest.approx(
        sum(psutil.cpu_times()[:3]) + sum(psutil.cpu_times()[5:7]), rel=0.01
    )


def test_a_probe_that_fails_is_a_gap_with_its_reason(tmp_path: Path) -> None:
    """A worker that has ended, a server that refuses, and one that tells a part."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    asked = {"postgres": _Server(), "redis": _Server(NotAnsweringError("Connection refused"))}
    # Not this process: its children, other tests' servers, would be the server's.
    with subprocess.Popen(["sleep", "60"]) as alive:
        servers = {
            name: WatchedServer((alive.pid,) if name == "postgres" else (), False, probe)
            for name, probe in asked.items()
        }
        with ResourceSampler(tmp_path / "r.jsonl", servers) as monitor:
            monitor.sample(1, [ended.pid])
            monitor.sample(2, [])
        alive.kill()

    first, second = _lines(tmp_path / "r.jsonl")
    assert first["workers"] == []
    use = first["connections"]["postgres"]
    assert [use[name] for name in ("total", "active", "idle", "waiting")] == [7, 3, 4, 0]
    assert first["counters"]["postgres"]["queries"] == 5
    assert set(first["connections"]) == {"postgres"}
    failed = {name for name in first["problems"] if not name.startswith("not told: ")}
    assert failed == {f"workers {ended.pid}", "connections redis", "counters redis"}
    assert "Connection refused" in first["problems"]["connections redis"]
    assert first["problems"]["not told: postgres sent_bytes"] == "does not count"
    assert (first["servers"][0]["pid"], first["servers"][0]["service"]) == (alive.pid, "postgres")
    assert f"workers {ended.pid}" not in second["problems"]
    assert all(probe.closed for probe in asked.values())


def test_a_server_that_was_killed_is_a_gap_and_not_an_idle_server(tmp_path: Path) -> None:
    """Not yet reaped, then gone: neither time it is one that uses nothing."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    servers = {"redis": WatchedServer((child.pid,), False, _Server())}
    with ResourceSampler(tmp_path / "r.jsonl", servers) as monitor:
        monitor.sample(1, [])
        os.kill(child.pid, 9)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        monitor.sample(2, [])
        child.communicate()
        monitor.sample(3, [])
    alive, zombie, gone = _lines(tmp_path / "r.jsonl")
    assert [process["pid"] for process in alive["servers"]] == [child.pid]
    for line in (zombie, gone):
        assert line["servers"] == []
        assert line["problems"][f"servers {child.pid}"] == "it has ended"
    samples = read_samples(tmp_path / "r.jsonl", 0, 2**63)
    assert resources_of(samples[1:]).of("servers").cores_mean is None
    assert resources_of(samples[1:]).of("redis").pss_peak_mb is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process of another user")
def test_of_another_users_process_what_can_be_read_is_read() -> None:
    """Read as nobody, from a process of root's: CPU, threads and RSS are everybody's to see."""
    script = (
        "import json, os, sys\n"
        "from perf_pipeline.metrics.resources.process import ProcessReader\n"
        "os.setuid(65534)\n"
        f"print(json.dumps(ProcessReader().read({os.getpid()})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    usage, problems = json.loads(done.stdout)
    denied = ("pss_bytes", "uss_bytes", "descriptors", "read_bytes", "write_bytes")
    assert {name: usage[name] for name in denied} == dict.fromkeys(denied)
    assert set(problems) == {"memory", "descriptors", "storage"}
    assert set(problems.values()) == {"Permission denied"}
    assert usage["rss_bytes"] == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)
    assert usage["threads"] == psutil.Process().num_threads()


def test_threads_of_large_processes_are_asked_in_two_samples_of_five(tmp_path: Path) -> None:
    with _running(MANY) as child, ResourceSampler(tmp_path / "r.jsonl", {}) as monitor:
        for at_ns in range(6):
            monitor.sample(at_ns, [child.pid])
    lines = _lines(tmp_path / "r.jsonl")
    asked = [line["workers"][0]["run_delay_s"] is not None for line in lines]
    assert asked == [True, True, False, False, False, True]
    reasons = ["not told: workers run_delay_s" in line["problems"] for line in lines]
    assert reasons == [not each for each in asked]
    assert all(line["harness"][0]["run_delay_s"] is not None for line in lines)


def test_what_ended_threads_had_waited_is_not_forgotten() -> None:
    """The kernel's sum over the threads falls by what a thread had waited when it ends."""
    code = """
import threading
stop = threading.Event()
def work():
    while not stop.is_set(): pass
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
print(flush=True)
input()
stop.set()
[thread.join() for thread in threads]
print(flush=True)
input()
"""
    with _running(code, stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        reader = ProcessReader()
        time.sleep(0.15)
        before, _ = reader.read(child.pid)
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.stdout.readline()
        time.sleep(0.1)  # a thread that was joined still has to end
        after, _ = reader.read(child.pid)
    assert (before["threads"], after["threads"]) == (5, 1)
    waited = [usage["run_delay_s"] for usage in (before, after)]
    assert waited[0] is not None
    assert waited[1] is not None
    assert waited[1] >= waited[0]


def test_waiting_for_storage_is_the_sum_over_all_threads_and_not_the_main_threads(
    tmp_path: Path,
) -> None:
    """Planted where the kernel counts it: 1 + 250 + 40 ticks, then the second thread ends."""
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "sys/kernel/task_delayacct").write_text("1\n")
    _plant(tmp_path, {7: 1, 8: 250, 9: 40})
    reader = ProcessReader(tmp_path)
    assert reader.counts_io_delay
    first, _ = reader.read(7)
    shutil.rmtree(tmp_path / "7/task/8")
    _plant(tmp_path, {7: 1, 9: 60})
    second, _ = reader.read(7)
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    assert first["io_delay_s"] == pytest.approx(291 * tick_s)
    assert second["io_delay_s"] == pytest.approx(311 * tick_s)
    assert second["run_delay_s"] == pytest.approx(3e-9 * 5)


def _plant(proc: Path, io_ticks: dict[int, int]) -> None:
    """Write what the kernel reports of a process 7, each thread of which waited 5 ns."""
    for thread, ticks in io_ticks.items():
        folder = proc / f"7/task/{thread}"
        folder.mkdir(parents=True, exist_ok=True)
        stat = ["S", *["0"] * 38, str(ticks), *["0"] * 10]
        (folder / "schedstat").write_text("9 5 1\n")
        (folder / "stat").write_text(f"{thread} (a name) {' '.join(stat)}\n")
    (proc / "7/stat").write_text((proc / "7/task/7/stat").read_text())


def _clock_of(pid: int) -> int:
    """Return the process's CPU clock, as clock_getcpuclockid makes it."""
    return (~pid << 3) | 2
