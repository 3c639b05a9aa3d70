"""Levels with real worker processes: everything that can happen to them is an outcome."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.level import measure_level
from perf_pipeline.lifeline import stamp
from perf_pipeline.loadgen.supervise import level_monitor as pulse_module
from perf_pipeline.loadgen.supervise import level_supervisor as level_module
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.samples.journal import read_journal
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import COLD, ErrorClass, Outcome
from perf_pipeline.samples.slots import SlotFile
from tests.integration.levels.level_process import KIND, PHASES, level_in, plan_of
from tests.integration.levels.worker_pids import workers_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.loadgen.supervise.level_log import LevelLog, Progress
    from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
    from perf_pipeline.metrics.types.level import LevelMetrics

pytestmark = pytest.mark.integration

SHORT = replace(PHASES, ramp_up_s=0.0, warm_up_s=0.0, steady_s=0.2)


@pytest.fixture(autouse=True)
def _no_worker_is_left() -> Iterator[None]:
    yield
    workers = workers_below()
    for worker in workers:
        worker.kill()
    assert workers == []


_SAMPLES = ("", ".disk_space", ".journal", ".record", ".slots", ".steps", ".steps.step_journal")


def _summary(folder: Path) -> LevelMetrics:
    return measure_level(folder, LevelContext([KIND], [], {}))


def _stored(folder: Path) -> dict[str, object]:
    log: dict[str, object] = json.loads((folder / "level.json").read_text())
    return log


def _started(folder: Path) -> int:
    started = 0
    for path in folder.glob("*.slots"):
        stamps = SlotFile(path, writable=False)
        started += stamps.totals().started
        stamps.close()
    return started


def _reasons(log: LevelLog) -> list[str]:
    return [worker["reason"] for worker in log.workers]


def _once_steady(act: object) -> object:
    """Return an ``on_progress`` that acts on the running level once, in its steady phase."""
    done = threading.Event()

    def on_progress(progress: Progress) -> None:
        if progress.phase == "steady" and not done.is_set():
            done.set()
            act()  # type: ignore[operator]

    return on_progress


def _level_with(folder: Path, act: object, **more: object) -> LevelSupervisor:
    return level_in(folder, on_progress=_once_steady(act), **more)  # type: ignore[arg-type]


def _worker_pids() -> list[int]:
    return [worker.pid for worker in workers_below()]


@pytest.mark.alone
def test_a_level_keeps_n_in_flight_and_accounts_for_every_workflow(tmp_path: Path) -> None:
    """2 slots, 2 processes, 1.5 s: complete, valid, started = recorded, no number twice.

    One slot a process: of several threads with 60 us of work each, one in eight has been
    preempted between two workflows.
    """
    log = level_in(tmp_path, plan_of(2)).run()

    assert (log.ended_because, _reasons(log)) == ("complete", ["done", "done"])
    level, records = _summary(tmp_path), read_level(tmp_path, 1)
    assert (level.validity, level.reasons) == ("valid", ())
    assert level.in_flight.median == 2
    assert (level.error_ratio, level.fairness and level.fairness.starved) == (0, 0)
    assert len(records.frame) == _started(tmp_path) == sum(level.outcomes.values())
    assert records.frame["number"].n_unique() == len(records.frame)
    assert not records.recovered
    assert level.outcomes["error"] == level.outcomes["timeout"] == 0
    assert all(worker.commit_gap_max_s and worker.commit_gap_max_s < 1 for worker in level.workers)
    assert level.service_times.avg_s == pytest.approx(2 / level.throughput_per_s, rel=0.1)  # type: ignore[operator]
    cold = records.frame.filter((records.frame["flags"] & COLD) != 0)
    assert sorted(cold["number"]) == [-2, -1]
    assert (cold["end_ns"] < log.go_ns).all()
    first = records.frame.filter(records.frame["number"] >= 0).group_by("worker", "slot").min()
    ramp_ns = sorted(first["start_ns"] - log.go_ns)
    assert all(at >= planned for at, planned in zip(ramp_ns, plan_of(2).ramp_ns, strict=True))


def test_a_worker_imports_nothing_of_the_harness(tmp_path: Path) -> None:
    """Asked of a live worker, whose journal says what it had imported before the load began."""
    level_in(tmp_path, phases=SHORT).run()

    facts = read_journal(tmp_path / "worker-0.sqlite").facts
    modules = facts["modules"].split()
    ours = {name for name in modules if name.startswith("perf_pipeline.")}
    samples = {name for name in ours if name.startswith("perf_pipeline.samples")}
    assert samples == {f"perf_pipeline.samples{s}" for s in _SAMPLES}
    config = {name for name in ours if name.startswith("perf_pipeline.config")}
    tables = ("", ".data_file", ".services", ".think_time")  # names, and what a level is given
    assert config == {f"perf_pipeline.config{name}" for name in tables}
    packages = {name.split(".")[1] for name in ours - samples - config}
    assert packages == {"logs", "redaction", "steps", "targets", "worker", "workload"}
    foreign = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    foreign = {name for name in foreign if not name.startswith("_") and name != "cython_runtime"}
    assert foreign - {"perf_pipeline"} <= DRIVERS
    assert set(facts["environment"].split()) == {"HOME", "LANG", "PATH"}


DRIVERS = {
    "bson",
    "cffi",
    "cryptography",
    "greenlet",
    "gridfs",
    "psycopg2",
    "pymongo",
    "pymysql",
    "redis",
    "sqlalchemy",
    "typing_extensions",
}
"""What the control target itself brings: the pools of its servers."""


def test_a_module_in_the_current_folder_does_not_replace_one_of_the_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users have files called queue.py; the worker must not find them first."""
    here, level = tmp_path / "here", tmp_path / "level"
    here.mkdir()
    level.mkdir()
    for name in ("json", "sqlite3", "struct", "queue", "redis"):
        (here / f"{name}.py").write_text("raise SystemExit('found the wrong one')\n")
    monkeypatch.chdir(here)

    log = level_in(level, phases=SHORT).run()

    assert _reasons(log) == ["done", "done"]


def test_a_worker_killed_in_mid_level_ends_it_as_an_outcome(tmp_path: Path) -> None:
    begin_s = time.monotonic()
    log = _level_with(tmp_path, lambda: os.kill(_worker_pids()[1], signal.SIGKILL)).run()

    assert time.monotonic() - begin_s < 10
    assert log.ended_because == "worker lost"
    done, killed = sorted(_reasons(log))
    assert (done, killed.partition(":")[0]) == ("done", "killed by SIGKILL")
    level = _summary(tmp_path)
    assert level.validity == "incomplete"
    missing = sum(worker.may_be_missing for worker in level.workers)
    assert sum(level.outcomes.values()) == _started(tmp_path) - missing
    assert level.error_classes.keys() <= {"target_crash"}
    assert level.throughput_per_s is not None
    dead = next(w["worker"] for w in log.workers if w["reason"] != "done")
    crashed = read_level(tmp_path, 1).frame.filter(outcome=Outcome.ERROR)
    assert set(crashed["worker"]) <= {dead}
    assert set(crashed["error_class"]) <= {ErrorClass.TARGET_CRASH}


def test_a_worker_that_hangs_is_killed_after_the_level_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGSTOP: it is alive and does nothing; the other worker keeps the level going."""
    monkeypatch.setattr(level_module, "HANG_GRACE_S", 1.0)
    phases = replace(PHASES, steady_max_s=5.0, drain_s=1.0)

    log = _level_with(
        tmp_path, lambda: os.kill(_worker_pids()[0], signal.SIGSTOP), phases=phases
    ).run()

    stopped = "hung: still running 2 s after the stop, stopped by a signal (SIGSTOP?)"
    assert sorted(_reasons(log)) == ["done", stopped]
    level = _summary(tmp_path)
    assert level.validity == "incomplete"
    assert any("hung" in reason for reason in level.reasons)
    missing = sum(worker.may_be_missing for worker in level.workers)
    assert sum(level.outcomes.values()) == _started(tmp_path) - missing


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it may just have ended
            os.kill(pid, number)


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_an_interrupted_level_stops_its_workers_and_keeps_what_was_measured(
    tmp_path: Path,
) -> None:
    begin_s = time.monotonic()
    level = _level_with(tmp_path, _interrupt)

    with pytest.raises(KeyboardInterrupt):
        level.run()

    assert time.monotonic() - begin_s < 8
    log = _stored(tmp_path)
    assert log["ended_because"] == "interrupted"
    assert [worker["reason"] for worker in log["workers"]] == ["done", "done"]  # type: ignore[attr-defined]
    summary, records = _summary(tmp_path), read_level(tmp_path, 1)
    assert summary.validity == "incomplete"
    assert summary.outcomes["error"] == 0
    assert summary.throughput_per_s
    assert len(records.frame) == _started(tmp_path)


def test_an_interruption_before_the_go_starts_nothing(tmp_path: Path) -> None:
    level = level_in(tmp_path)
    level._wait_ready = _interrupt  # type: ignore[method-assign, assignment]

    with pytest.raises(KeyboardInterrupt):
        level.run()

    assert _stored(tmp_path)["go_ns"] is None
    assert read_level(tmp_path, 1).frame.filter(flags=0).is_empty()
    assert _summary(tmp_path).throughput_per_s is None


def test_an_interruption_of_the_drain_lets_workers_end_and_tells_no_lie_about_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand still for half a second from the drain's first report, which interrupts."""
    monkeypatch.setattr(pulse_module, "REPORT_EVERY_NS", 0)
    going_on: list[threading.Timer] = []

    def stop_and_interrupt(progress: Progress) -> None:
        if progress.phase != "drain":
            return
        pids = _worker_pids()
        _signal_all(pids, signal.SIGSTOP)
        going_on.append(threading.Timer(0.5, _signal_all, (pids, signal.SIGCONT)))
        going_on[0].start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        level_in(tmp_path, on_progress=stop_and_interrupt).run()
    going_on[0].join()

    log = _stored(tmp_path)
    assert log["ended_because"] == "interrupted"
    assert [worker["reason"] for worker in log["workers"]] == ["done", "done"]  # type: ignore[attr-defined]
    assert _summary(tmp_path).outcomes["error"] == 0


def test_a_second_interruption_kills_at_once_and_says_so(tmp_path: Path) -> None:
    """While the drain goes on, of which the workers, standing still, take no notice."""
    again = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))

    def interrupt_twice() -> None:
        _signal_all(_worker_pids(), signal.SIGSTOP)
        again.start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _level_with(tmp_path, interrupt_twice).run()
    again.join()

    reason = "killed by us: interrupted again while workflows were ending"
    assert [worker["reason"] for worker in _stored(tmp_path)["workers"]] == [reason] * 2  # type: ignore[attr-defined]
    assert _summary(tmp_path).outcomes["error"] == 0


def test_a_second_interruption_before_the_drain_has_begun_kills_at_once(tmp_path: Path) -> None:
    """It comes while the first is on its way out of the steady phase, and replaces it.

    The workers stand still, so if it were taken for the first they would be "hung" 3 s later.
    """
    level = _level_with(
        tmp_path, lambda: (_signal_all(_worker_pids(), signal.SIGSTOP), _interrupt())
    )
    write_log, interrupted = level._phases._write_log, []

    def write_and_interrupt(log: LevelLog) -> None:
        write_log(log)
        if log.phases_ns.get("steady", (0, None))[1] is not None and not interrupted:
            interrupted.append(time.monotonic())
            raise KeyboardInterrupt

    level._phases._write_log = write_and_interrupt
    with pytest.raises(KeyboardInterrupt):
        level.run()

    assert time.monotonic() - interrupted[0] < 2.5
    reason = "killed by us: interrupted again while workflows were ending"
    assert [worker["reason"] for worker in _stored(tmp_path)["workers"]] == [reason] * 2  # type: ignore[attr-defined]


def test_a_worker_that_cannot_open_its_target_gives_its_own_words_as_the_reason(
    tmp_path: Path,
) -> None:
    begin_s = time.monotonic()
    log = level_in(tmp_path, plan_of(target="callable")).run()

    assert time.monotonic() - begin_s < 8
    assert log.ended_because == "start failed"
    assert any(
        reason.startswith("exit code 1: ") and "transformation" in reason
        for reason in _reasons(log)
    )
    assert _summary(tmp_path).validity == "incomplete"


def test_when_one_worker_cannot_start_the_others_end_by_themselves_at_once(
    tmp_path: Path,
) -> None:
    """Worker 1's plan is unreadable; worker 0 waits for a go that never comes."""
    level = level_in(tmp_path)
    (tmp_path / "worker-1.kinds").mkdir()

    with pytest.raises(IsADirectoryError):
        level.run()

    reasons = [w["reason"] for w in _stored(tmp_path)["workers"]]  # type: ignore[attr-defined]
    assert reasons == ["done"]


def test_a_killed_supervisor_takes_its_workers_along_and_leaves_a_readable_level(
    tmp_path: Path,
) -> None:
    script = Path(__file__).with_name("level_process.py")
    supervisor = subprocess.Popen(
        [sys.executable, script, tmp_path],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    try:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"steady\n"
        workers = workers_below(supervisor.pid)
        assert len(workers) == 2
        time.sleep(1.2)  # so that both workers commit within the steady phase
    finally:
        supervisor.kill()
        supervisor.communicate()

    begin_s = time.monotonic()
    while any(stamp(worker.pid) for worker in workers):
        assert time.monotonic() - begin_s < 1.0, "workers outlive their supervisor"
        time.sleep(0.01)
    level, records = _summary(tmp_path), read_level(tmp_path, 1)
    assert level.validity == "incomplete"
    assert {worker.reason for worker in level.workers} == {"its supervisor was killed"}
    assert len(records.frame) + records.may_be_missing == _started(tmp_path)
    assert records.frame["number"].n_unique() == len(records.frame)
    assert level.outcomes["error"] == 0
    assert level.in_flight.median is not None
    assert 4 <= level.in_flight.median <= 8
    assert level.throughput_per_s
    assert level.phases["steady"][1] > level.phases["steady"][0]


@pytest.mark.alone
def test_a_level_of_a_given_number_of_turnovers_is_long_enough_for_its_verdict(
    tmp_path: Path,
) -> None:
    """Steady as short as three turnovers allow: the records must hold three, too."""
    phases = replace(SHORT, steady_s=0.001)

    log = level_in(tmp_path, plan_of(64, phases), phases).run()

    assert log.ended_because == "complete"
    turnovers = _summary(tmp_path).turnovers
    assert turnovers is not None
    assert turnovers >= 3
