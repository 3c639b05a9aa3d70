"""A worker process as its supervisor sees it; the interpreter is a script of the test's own."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.scenario.variables import Variables
from perf_pipeline.loadgen.environment.user_code import START, UserCode
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise import worker_log
from perf_pipeline.loadgen.supervise.worker_process import (
    LOG_TAIL,
    WorkerProcess,
    signal_name,
)
from perf_pipeline.redaction.redact import remember_url
from perf_pipeline.samples.slots import (
    CLOSED,
    DRAIN_NS,
    GO_NS,
    NEVER_NS,
    PLAYING,
    READY,
    STARTED,
    STATE,
    STOP_NS,
)
from perf_pipeline.targets.target import Job, Kind, ServerAccess, ServerAddress
from perf_pipeline.worker.worker_job import read_job, read_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCENARIO = Scenario(
    "x",
    concurrency=(5,),
    workloads=(Workload("transformation", "simple"),),
    phases=Phases(deadline_s=5.0, drain_s=2.5),
)
PLAN = plan_levels(SCENARIO, 2)[0]
JOB = Job(
    (Kind("transformation", "simple"),),
    "code",
    1,
    "run",
    0,
    ServerAccess({"postgres": ServerAddress("postgresql://u:secret@h/d", "s")}, 25, 30.0),
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], WorkerProcess]]:
    """A function that starts worker 1 with a shell script in place of the interpreter."""
    started: list[WorkerProcess] = []

    def run(script: str) -> WorkerProcess:
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        folder = tmp_path / "level"
        folder.mkdir()
        started.append(WorkerProcess(PLAN, 1, folder, python, JOB))
        return started[-1]

    yield run
    for worker in started:
        worker.kill("the test is over")
        worker.close()


def _ended(worker: WorkerProcess, state: int = CLOSED) -> str:
    """Return why it ended. A script is no worker: its state is set here."""
    worker.slots.words[STATE] = state
    assert worker.wait_until(time.monotonic_ns() + 10_000_000_000)
    return worker.end_reason()


def test_a_worker_that_did_its_work_is_done(start: Callable[[str], WorkerProcess]) -> None:
    assert _ended(start("echo some chatter >&2")) == "done"


def test_a_worker_that_its_target_ended_is_not_done(start: Callable[[str], WorkerProcess]) -> None:
    """``os._exit(0)`` in the target: records of the workflows in flight are missing."""
    reason = _ended(start("exit 0"), state=PLAYING)
    assert reason.startswith("exit code 0 in the middle of its work")


def test_a_worker_that_failed_gives_its_exit_code_and_the_end_of_its_log(
    start: Callable[[str], WorkerProcess],
) -> None:
    reason = _ended(start("yes x | head -c 100000 >&2; echo 'ImportError: no kailash' >&2; exit 3"))

    assert reason.startswith("exit code 3: ")
    assert reason.endswith("ImportError: no kailash")
    assert len(reason) <= LOG_TAIL + len("exit code 3: ")


@pytest.mark.parametrize(
    ("number", "reason"),
    [(9, "killed by SIGKILL"), (11, "killed by SIGSEGV"), (40, "killed by signal 40")],
)
def test_a_worker_that_was_killed_names_the_signal(
    start: Callable[[str], WorkerProcess], number: int, reason: str
) -> None:
    """Real-time signals have no name in Python."""
    assert _ended(start(f"kill -{number} $$; sleep 5")) == reason
    assert signal_name(number) == reason.removeprefix("killed by ")


@pytest.mark.parametrize(
    ("number", "reason"), [(9, "killed by SIGKILL: no OOM kill"), (11, "killed by SIGSEGV")]
)
def test_what_is_known_of_who_sent_a_sigkill_is_said_of_that_signal_alone(
    start: Callable[[str], WorkerProcess], number: int, reason: str
) -> None:
    worker = start(f"kill -{number} $$; sleep 5")
    _ended(worker)

    assert worker.end_reason(None, "no OOM kill") == reason


def test_what_a_process_does_that_hangs_is_read_from_the_kernel(
    start: Callable[[str], WorkerProcess],
) -> None:
    worker = start("kill -STOP $$")
    deadline_s = time.monotonic() + 10
    while "stopped by a signal" not in worker.doing():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)

    worker.kill("hung")
    assert worker.doing() == ""


def test_a_worker_that_we_kill_ends_for_our_reason(start: Callable[[str], WorkerProcess]) -> None:
    worker = start("sleep 60")
    assert worker.alive
    assert worker.end_reason() == "running"

    worker.kill("hung: still running 3 s after the stop")
    worker.kill("and once more")

    assert not worker.alive
    assert worker.end_reason() == "hung: still running 3 s after the stop"


def test_a_worker_that_is_not_ready_says_whether_the_target_or_a_workflow_hangs(
    start: Callable[[str], WorkerProcess],
) -> None:
    worker = start("sleep 60")
    assert worker.not_ready_reason(120) == "not ready after 120 s: its target is not open"

    worker.slots.words[worker.slots.base(0) + STARTED] = 1
    assert worker.not_ready_reason(120).endswith("a workflow of its cold start has not ended")


def test_a_worker_that_had_ended_keeps_its_own_reason(
    start: Callable[[str], WorkerProcess],
) -> None:
    worker = start("exit 4")
    worker.wait_until(time.monotonic_ns() + 10_000_000_000)

    worker.kill("killed by us")

    assert worker.end_reason() == "exit code 4"


def test_a_worker_is_given_its_share_of_the_plan_and_its_own_environment(
    start: Callable[[str], WorkerProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("COVERAGE_PROCESS_START", "x")
    worker = start(
        'env | sort > "$HOME/env"; printf "%s\\n" "$@" > "$HOME/arguments"; '
        'cat /proc/self/fd/$6 > "$HOME/addresses"'
    )
    assert _ended(worker) == "done"

    files = tmp_path / "level"
    job = read_job(
        files / "worker-1.json", os.open(files / "worker-1-home" / "addresses", os.O_RDONLY)
    )
    assert (job.worker, job.workers, job.target, job.mode) == (1, 2, "kailash", "threads")
    assert job.job == replace(JOB, concurrency=2)
    assert (job.deadline_ns, worker.slots.words[DRAIN_NS]) == (5_000_000_000, 2_500_000_000)
    assert read_words(job.ramp) == PLAN.ramp_ns[1::2]
    assert worker.slots.slots == 2
    assert read_words(job.kinds) == PLAN.kinds
    environment = (files / "worker-1-home" / "env").read_text().splitlines()
    names = {line.partition("=")[0] for line in environment}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"HOME", "LANG", "PATH"}
    arguments = (files / "worker-1-home" / "arguments").read_text().splitlines()
    job_file = str(files / "worker-1.json")
    assert arguments[:-1] == ["-P", str(START), "perf_pipeline.worker", "", job_file]
    assert job.journal == str(files / "worker-1.sqlite")


def test_what_a_worker_leaves_behind_ends_with_it_and_is_named(
    start: Callable[[str], WorkerProcess],
) -> None:
    worker = start("sleep 60 & sleep 61 & echo $! >&2")
    assert _ended(worker) == "done"

    assert worker.left_behind() == {"sleep": 2}
    assert not Path("/proc", worker._started.log.path.read_text().strip()).exists()


def test_no_password_of_a_server_is_in_a_file_of_a_worker_or_on_its_command_line(
    start: Callable[[str], WorkerProcess], tmp_path: Path
) -> None:
    """The target prints the URL that it was given, and its command line is what anybody can see."""
    remember_url("postgresql://u:secret@h/d")
    worker = start(
        'tr "\\0" " " < /proc/$$/cmdline; cat /proc/self/fd/$6; echo "password \\"secret\\"" >&2'
    )
    assert _ended(worker) == "done"

    files = [path for path in (tmp_path / "level").rglob("*") if path.is_file()]
    log = (tmp_path / "level" / "worker-1.log").read_text()
    assert "worker-1.json" in log
    assert "postgresql://u:***@h/d" in log
    assert not [path for path in files if b"secret" in path.read_bytes()]


def test_a_worker_of_a_versioned_asynchronous_target_finds_the_users_own_folder(
    tmp_path: Path,
) -> None:
    """The job names the target's folder, and its mode."""
    scenario = replace(SCENARIO, target="kailash_async==2.60.0+pandas")
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$4" "$SHOP_API" "$PWD" > "$HOME/own"\n')
    python.chmod(0o755)
    plan = plan_levels(scenario, 1)[0]
    (tmp_path / "own").mkdir()
    variables = Variables({"SHOP_API": "http://shop"})
    user_code = UserCode(str(tmp_path / "own"), "/home/user/own", variables)
    worker = WorkerProcess(plan, 0, tmp_path, python, JOB, user_code)
    assert _ended(worker) == "done"
    worker.close()

    job = read_job(tmp_path / "worker-0.json")
    assert (job.target, job.mode) == ("kailash_async", "asyncio")
    own = (tmp_path / "worker-0-home" / "own").read_text().splitlines()
    assert own == ["/home/user/own", "http://shop", str(tmp_path / "own")]


def test_a_worker_is_steered_through_its_slot_file(start: Callable[[str], WorkerProcess]) -> None:
    worker = start("sleep 60")
    words = worker.slots.words
    assert not worker.ready
    assert (words[GO_NS], words[STOP_NS]) == (0, NEVER_NS)

    words[STATE] = READY
    worker.go(17)
    worker.stop(99)
    assert worker.ready
    assert (words[GO_NS], words[STOP_NS], words[DRAIN_NS]) == (17, 99, 2_500_000_000)
    worker.stop(100, 1.0)
    assert (words[STOP_NS], words[DRAIN_NS]) == (100, 1_000_000_000)
    assert not worker.wait_until(time.monotonic_ns())


def test_a_worker_that_prints_without_end_fills_no_disk_and_is_counted(
    start: Callable[[str], WorkerProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an eighth of the bound: what is stored is redacted first, which takes time."""
    monkeypatch.setattr(worker_log, "HEAD_BYTES", worker_log.HEAD_BYTES // 8)
    worker = start("yes xxxxxxxxxxxxxxx | head -c 2000000")
    assert _ended(worker) == "done"
    printed = worker.printed()
    assert printed["printed_bytes"] == 2_000_000
    stored = (tmp_path / "level" / "worker-1.log").stat().st_size
    assert stored < 1_300_000
    assert printed["log_dropped_bytes"] == pytest.approx(2_000_000 - stored, abs=200)
