"""Workers that import their target before the run begins, and get their job later."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.supervise.prepared_workers import PreparedWorkers
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import RunFolder
from tests.integration.levels.level_process import level_in, plan_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = Path(sys.executable)
SHORT = Phases(ramp_up_s=0, warm_up_s=0, steady_s=0.3, drain_s=2.0, deadline_s=30.0)
PLAN = plan_of(phases=SHORT)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "results" / "20260114_093012-4f2c")


@pytest.fixture
def prepared(folder: RunFolder) -> Iterator[PreparedWorkers]:
    workers = PreparedWorkers(PLAN, folder, PYTHON, NO_USER_CODE)
    yield workers
    workers.close()


def _processes(folder: RunFolder) -> list[psutil.Process]:
    """Return the workers of a run; other tests of this process have children as well."""
    return [
        one
        for one in psutil.Process().children(recursive=True)
        if one.status() != psutil.STATUS_ZOMBIE and str(folder.root) in " ".join(one.cmdline())
    ]


def _wait_for_processes(folder: RunFolder) -> None:
    """Wait until both workers have started, each below its keeper."""
    deadline_s = time.monotonic() + 30.0
    while len(_processes(folder)) < 4:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_a_level_is_played_by_the_workers_that_were_prepared_for_it(
    prepared: PreparedWorkers, folder: RunFolder
) -> None:
    """Their environment is that of workers that start with the level, but for their own folder."""
    folder.begin("x", is_made=True)
    workers = prepared.take(PLAN, PYTHON, NO_USER_CODE)
    pids = [worker.pid for worker in workers]
    level = folder.root / "levels" / PLAN.folder_name
    environ = psutil.Process(pids[1]).environ()
    assert environ["HOME"] == str(level / "worker-1-home")

    log = level_in(level, PLAN, prepared=workers).run()

    assert log.ended_because is EndedBecause.COMPLETE
    assert [worker["pid"] for worker in log.workers] == pids
    assert [worker["reason"] for worker in log.workers] == ["done", "done"]
    frame = read_level(level, 1).frame
    assert frame.height > 4
    assert frame["worker"].n_unique() == 2


@pytest.mark.parametrize(
    ("plan", "user_code"),
    [
        (replace(PLAN, label="9"), NO_USER_CODE),
        (plan_of(phases=SHORT, target="callable"), NO_USER_CODE),
        (PLAN, UserCode(folder="/")),
    ],
)
def test_another_level_gets_none_of_them(
    prepared: PreparedWorkers, folder: RunFolder, plan: object, user_code: UserCode
) -> None:
    _wait_for_processes(folder)
    assert prepared.take(plan, PYTHON, user_code) == []  # type: ignore[arg-type]
    assert _processes(folder) == []
    assert list((folder.root / "levels").iterdir()) == []


def test_nothing_is_left_of_a_run_that_does_not_begin(folder: RunFolder) -> None:
    workers = PreparedWorkers(PLAN, folder, PYTHON, NO_USER_CODE)
    _wait_for_processes(folder)
    workers.close()
    assert _processes(folder) == []
    assert not folder.root.exists()


def test_workers_whose_keepers_have_yet_to_start_end_as_well(folder: RunFolder) -> None:
    PreparedWorkers(PLAN, folder, PYTHON, NO_USER_CODE).close()
    assert _processes(folder) == []
    assert not folder.root.exists()


def test_a_run_that_has_begun_keeps_its_folder(
    prepared: PreparedWorkers, folder: RunFolder
) -> None:
    folder.begin("x", is_made=True)
    prepared.close()
    assert folder.status_file.exists()


def test_a_target_that_cannot_be_imported_is_the_levels_failure(
    folder: RunFolder, tmp_path: Path
) -> None:
    (tmp_path / "kailash.py").write_text("raise ImportError('planted')\n")
    plan, code = plan_of(phases=SHORT, target="kailash"), UserCode(python_path=str(tmp_path))
    workers = PreparedWorkers(plan, folder, PYTHON, code)
    folder.begin("x", is_made=True)
    ready = workers.take(plan, PYTHON, code)

    log = level_in(folder.root / "levels" / plan.folder_name, plan, prepared=ready).run()

    assert log.ended_because is EndedBecause.START_FAILED
    assert log.workers[0]["reason"] == "exit code 1: ImportError: planted"
