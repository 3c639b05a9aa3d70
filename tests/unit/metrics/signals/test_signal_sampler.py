"""Each signal moves by what was planted in a real process, and a missing one is never zero."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.resources.network.socket_states import SOCKET_STATES
from perf_pipeline.metrics.signals.process_signals import MAX_FILES, USES, Arm
from perf_pipeline.metrics.signals.signal_sampler import SignalSampler
from perf_pipeline.samples.campaign.missing_signals import (
    MissingSignal,
    MissingSignals,
    read_missing,
    write_missing,
)
from perf_pipeline.servers.probe import WatchedServer
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.servers.snapshot import ConnectionCounts, Counters, ServerSnapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEAKY = """
import os, socket, subprocess, sys, threading
server = socket.create_server(("127.0.0.1", 0))
kept, never = [], threading.Event()
print("ready", flush=True)
for line in sys.stdin:
    what, count, where = line.split()
    for number in range(int(count)):
        if what == "memory":
            kept.append(bytearray(b"x" * 1_000_000))
        elif what == "file":
            kept.append(open(os.devnull))
        elif what == "thread":
            threading.Thread(target=never.wait, daemon=True).start()
        elif what == "connection":
            kept += [socket.create_connection(server.getsockname()), server.accept()[0]]
        elif what == "child":
            kept.append(subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                                         stdin=subprocess.PIPE))
        elif what == "temporary":
            os.makedirs(where, exist_ok=True)
            with open(f"{where}/{number}", "wb") as file:
                file.write(bytes([1]) * 100_000)
    print("done", flush=True)
"""


@contextmanager
def _leaky() -> Iterator[subprocess.Popen[str]]:
    """Start a process that leaks what it is told to, and wait until it is ready."""
    child = subprocess.Popen(
        [sys.executable, "-c", LEAKY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.communicate()


def _leak(child: subprocess.Popen[str], what: str, count: int, where: object = "-") -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{what} {count} {where}\n")
    child.stdin.flush()
    assert child.stdout.readline() == "done\n"


def _arm(pid: int, *homes: Path) -> Arm:
    return Arm([pid], homes, lambda: {"heap_blocks": 1})


@dataclass
class _Server:
    """A server whose answers are given; a real one is asked in tests/integration."""

    sessions: int | None = 7
    memory_bytes: int | None = None
    error: Exception | None = None
    closed: list[bool] = field(default_factory=list)

    def ask(self) -> ServerSnapshot:
        if self.error is not None:
            raise self.error
        connections = ConnectionCounts(1, 1, 0, 0, "by name")
        counters = Counters(None, None, None, None, None, "")
        return ServerSnapshot(connections, counters, {}, self.sessions, self.memory_bytes)

    def close(self) -> None:
        self.closed.append(True)


@pytest.mark.parametrize(
    ("what", "moves"),
    [
        ("file", {"open_files": 30}),
        ("thread", {"threads": 30}),
        ("connection", {"open_files": 60, "sockets_established": 60}),
    ],
)
def test_a_signal_moves_by_exactly_what_was_leaked(
    what: str, moves: dict[str, int], tmp_path: Path
) -> None:
    """30 of a kind; none of the other counts moves."""
    counts = ("open_files", "threads", "children", "temporary_bytes", *SOCKET_STATES)
    with _leaky() as child, SignalSampler({"target": _arm(child.pid, tmp_path)}, {}) as signals:
        before = signals.sample()
        _leak(child, what, 30)
        after = signals.sample()
    grown = {name: after[f"target.{name}"] - before[f"target.{name}"] for name in counts}
    assert {name: value for name, value in grown.items() if value} == moves
    assert before["target.sockets_listening"] == 1


def test_memory_of_a_process_and_of_what_it_has_started_is_one_signal(tmp_path: Path) -> None:
    """50 MB of its own, then two children, each of which is a process with memory and files."""
    with _leaky() as child, SignalSampler({"target": _arm(child.pid, tmp_path)}, {}) as signals:
        before = signals.sample()
        _leak(child, "memory", 50)
        grown = signals.sample()
        _leak(child, "child", 2)
        started = signals.sample()
    assert grown["target.uss_bytes"] - before["target.uss_bytes"] == pytest.approx(50e6, rel=0.05)
    assert grown["target.rss_bytes"] - before["target.rss_bytes"] == pytest.approx(50e6, rel=0.05)
    assert (grown["target.children"], started["target.children"]) == (0, 2)
    assert started["target.uss_bytes"] > grown["target.uss_bytes"] + 1e6
    assert started["target.threads"] == 3


def test_temporary_files_count_by_what_they_take_on_the_disk(tmp_path: Path) -> None:
    with _leaky() as child, SignalSampler({"target": _arm(child.pid, tmp_path)}, {}) as signals:
        before = signals.sample()
        _leak(child, "temporary", 20, tmp_path / "deep/down")
        after = signals.sample()
    taken = after["target.temporary_bytes"] - before["target.temporary_bytes"]
    assert 20 * 100_000 <= taken < 20 * 100_000 + 25 * 8192


def test_the_heap_is_what_the_worker_has_written_and_absent_before(tmp_path: Path) -> None:
    blocks = [None, 41_000, 42_000]
    arm = Arm([os.getpid()], [tmp_path], lambda: {"heap_blocks": blocks.pop(0)})
    with SignalSampler({"twin": arm}, {}) as signals:
        values = [signals.sample().get("twin.heap_blocks") for _ in range(3)]
    assert values == [None, 41_000, 42_000]
    reason = "the worker process has not written it yet, or its C library does not count it"
    assert signals.missing().missing == {"twin.heap_blocks": MissingSignal(1, reason)}


def test_an_ended_target_has_no_signals_instead_of_zeros_and_the_others_stay(
    tmp_path: Path,
) -> None:
    with _leaky() as child:
        arms = {"target": _arm(child.pid, tmp_path), "twin": _arm(os.getpid(), tmp_path)}
        with SignalSampler(arms, {}) as signals:
            assert len(signals.sample()) > 2 * len(USES)
            assert signals.missing() == MissingSignals(1, {})
            child.kill()
            child.wait()
            values = signals.sample()
            signals.sample()
    assert {name for name in values if name.startswith("target.")} == {
        "target.heap_blocks",
        "target.temporary_bytes",
    }
    assert values["twin.threads"] >= 1
    missing = signals.missing()
    assert missing.samples == 3
    assert missing.missing["target.threads"] == MissingSignal(2, "it has ended")
    assert missing.missing["target.sockets_established"].samples == 2


def test_a_folder_with_too_many_files_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perf_pipeline.metrics.signals.process_signals.MAX_FILES", 3)
    for number in range(4):
        (tmp_path / str(number)).touch()
    with SignalSampler({"target": _arm(os.getpid(), tmp_path)}, {}) as signals:
        assert "target.temporary_bytes" not in signals.sample()
    reason = signals.missing().missing["target.temporary_bytes"].reason
    assert reason == "more than 3 files, which are not counted"
    assert MAX_FILES == 20_000


def test_servers_have_sessions_and_those_with_data_in_memory_have_that() -> None:
    answers = {
        "postgres": _Server(sessions=12),
        "redis": _Server(sessions=3, memory_bytes=1_500_000),
        "mongodb": _Server(sessions=5),
        "mysql": _Server(error=NotAnsweringError("no route to host")),
    }
    watched = {name: WatchedServer((), shared=False, probe=one) for name, one in answers.items()}
    with SignalSampler({}, watched) as signals:
        values = signals.sample()
    of_servers = {name: value for name, value in values.items() if name.split(".")[0] in answers}
    assert of_servers == {
        "postgres.sessions": 12,
        "redis.sessions": 3,
        "redis.used_memory_bytes": 1_500_000,
        "mongodb.sessions": 5,
    }
    assert {name: one.reason for name, one in signals.missing().missing.items()} == {
        "mongodb.resident_bytes": "it does not report it, or not to this user",
        "mysql.sessions": "NotAnsweringError: no route to host",
    }
    assert all(one.closed for one in answers.values())


def test_the_harness_is_apart_and_the_machine_has_a_calibration(tmp_path: Path) -> None:
    """The keeper is this process's child here; what it holds is not the target's."""
    with (
        _leaky() as keeper,
        SignalSampler(
            {"target": _arm(os.getpid(), tmp_path)},
            {},
            keeper_pid=keeper.pid,
            calibrate_s=lambda: 0.0025,
        ) as signals,
    ):
        before = signals.sample()
        _leak(keeper, "file", 10)
        after = signals.sample()
    assert after["machine.calibration_s"] == 0.0025
    assert after["harness.keeper_open_files"] - before["harness.keeper_open_files"] == 10
    assert {f"harness.{name}" for name in USES} <= after.keys()
    assert after["harness.uss_bytes"] > 5e6


def test_what_an_hour_lacks_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "signals_missing.json"
    missing = MissingSignals(120, {"redis.sessions": MissingSignal(7, "no answer in 2 s")})
    write_missing(path, missing)
    assert read_missing(path) == missing
