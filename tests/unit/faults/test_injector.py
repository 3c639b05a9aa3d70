"""The injector ends every failure at a floor of the host, without its guardian, or alone."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.faults import injector, window_play
from perf_pipeline.faults.fault_journal import read_journal
from perf_pipeline.faults.injector import READY, Injector
from perf_pipeline.faults.injector_job import InjectorJob
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.fault_log import FaultRecord, read_faults
from tests.unit.faults.planted_fault import PlantedFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOOR = "900 MB of memory were available (floor 1074 MB)"
PERSISTENT = "server_freeze"
DIES_WITH_US = "memory_pressure"


class Floor:
    """A floor of the host that is reached when a test says so."""

    sentence = ""

    def __init__(self, _folders: object) -> None:
        """Watch nothing."""

    def breach(self) -> str:
        return Floor.sentence


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host with a planted floor; the signals of this process as they were afterwards."""
    monkeypatch.setattr(Floor, "sentence", "")
    monkeypatch.setattr(injector, "HostFloor", Floor)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, before)


class Bench:
    """An injector in this process, over a planted failure and one that would follow.

    Attributes:
        later: What was logged of the second one.
    """

    later: FaultRecord

    def __init__(self, folder: Path, fault: PlantedFault, kind: str) -> None:
        level = folder / "level"
        level.mkdir()
        self.folder, self.state_dir, self.fault = level, folder / "state", fault
        self.told: list[str] = []
        self._source, self._sink = os.pipe()
        windows = (FaultWindow(kind, "", 0.0, 60.0), FaultWindow(kind, "", 70.0, 60.0))
        log = window_play.FaultLog(level)
        for number, window in enumerate(windows):
            log.write(number, "planned", window=vars(window))
        job = InjectorJob(windows, {}, level, 1, self.state_dir, own_stamp())
        self.injector = Injector(job, self._source, self.told.append)

    def order(self, text: str) -> None:
        os.write(self._sink, f"{text}\n".encode())

    def run(self, then: object) -> FaultRecord:
        """Begin, and do something once the first failure acts; returns what was logged of it."""

        def wait() -> None:
            deadline_s = time.monotonic() + 10
            while not self.fault.acts and time.monotonic() < deadline_s:
                time.sleep(0.005)
            then()  # type: ignore[operator]

        self.order(f"begin {time.monotonic_ns()}")
        waiting = threading.Thread(target=wait)
        waiting.start()
        self.injector.run()
        waiting.join()
        record, self.later = read_faults(self.folder)
        return record


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Bench:
    """A bench over the kind that the test's parameter names."""
    fault = PlantedFault()
    faults = iter((fault, PlantedFault()))

    class Kind:
        @staticmethod
        def make(_place: object, _settings: object) -> PlantedFault:
            return next(faults)

    monkeypatch.setattr(window_play, "kind_module", lambda _: Kind)
    return Bench(tmp_path, fault, getattr(request, "param", DIES_WITH_US))


def _is_gone(bench: Bench, record: FaultRecord) -> bool:
    entries = read_journal(bench.state_dir)
    return record.gone_ns is not None and not bench.fault.acts and entries == {}


def test_an_order_to_stop_takes_the_failure_back(bench: Bench) -> None:
    record = bench.run(lambda: bench.order("stop"))
    assert _is_gone(bench, record)
    assert record.reason == ""
    assert bench.told == [READY]


def test_the_end_of_its_orders_takes_the_failure_back(bench: Bench) -> None:
    """The step has ended without a word."""
    record = bench.run(lambda: os.close(bench._sink))
    assert _is_gone(bench, record)


class _InterruptedInSet(threading.Event):
    """An event that SIGTERM interrupts in the middle of ``set``."""

    def set(self) -> None:
        with self._cond:  # type: ignore[attr-defined]
            if not self.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
            self._flag = True
            self._cond.notify_all()  # type: ignore[attr-defined]


@pytest.mark.timeout(30)
def test_the_end_of_its_orders_and_of_the_step_at_once_take_the_failure_back(bench: Bench) -> None:
    """A killed step ends both within a microsecond; the injector once hung in a lock of its own."""
    ended = bench.injector._ended
    ended.__class__ = _InterruptedInSet
    try:
        record = bench.run(lambda: os.close(bench._sink))
    finally:
        threading.Event.set(ended)  # its threads, if this test fails
    assert _is_gone(bench, record)


def test_a_floor_of_the_host_ends_it_and_is_told(bench: Bench) -> None:
    record = bench.run(lambda: setattr(Floor, "sentence", FLOOR))
    assert _is_gone(bench, record)
    assert record.reason == f"the host's floor: {FLOOR}"
    assert bench.told == [READY, f"failures were taken back: {FLOOR}"]
    assert (bench.later.injecting_ns, bench.later.reason) == (None, record.reason)


def test_at_a_floor_of_the_host_nothing_is_begun(bench: Bench) -> None:
    Floor.sentence = FLOOR
    bench.injector.run()
    reasons = {record.reason for record in read_faults(bench.folder)}
    assert reasons == {f"the host's floor is reached: {FLOOR}"}
    assert bench.fault.calls == []


@pytest.mark.parametrize("bench", [PERSISTENT], indirect=True)
def test_one_that_would_outlive_it_ends_when_its_guardian_is_killed(bench: Bench) -> None:
    guardian = bench.injector._guardian
    assert isinstance(guardian, subprocess.Popen)
    record = bench.run(guardian.kill)
    assert _is_gone(bench, record)
    assert "its guardian was killed" in record.reason
    assert (bench.later.injecting_ns, bench.later.reason) == (None, record.reason)
