"""A disk that fills while load runs: no acknowledged record is lost, and the cause is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.errors import RunFolderError
from perf_pipeline.run import Run
from perf_pipeline.samples.disk_space import FLOOR_BYTES, free_bytes
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.run_list import list_runs
from perf_pipeline.scenario_run import run_scenario
from tests.integration.conftest import settings_in
from tests.integration.levels.level_process import level_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.supervise.level_log import LevelLog, Progress

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk"),
]
FUNCTION = "import time\n\ndef pause(number):\n    time.sleep(0.005)\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, leave_bytes: int = 0) -> None:
    """Write until the disk of a folder is full, but for ``leave_bytes``."""
    with (folder / "somebody-elses").open("ab", buffering=0) as file:
        for size in (1 << 20, 4096):
            while free_bytes(folder) > leave_bytes + size:
                file.write(bytes(size))
        if not leave_bytes:
            try:
                while file.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass


def scenario_of(folder: Path) -> Scenario:
    """Two levels of a function with this interpreter."""
    (folder / "pause_function.py").write_text(FUNCTION, encoding="utf-8")
    return Scenario(
        "small",
        target="callable",
        concurrency=(4, 8),
        processes=1,
        workloads=(Workload("pause_function:pause", ""),),
        phases=Phases(ramp_up_s=0, warm_up_s=0, steady_s=20, steady_max_s=30, drain_s=2),
        interpreter=sys.executable,
        python_path=str(folder),
    )


def settings_on(disk: Path, folder: Path) -> Settings:
    return replace(settings_in(folder), results_dir=disk / "results")


def test_a_disk_that_fills_ends_the_level_with_that_word_and_the_report_appears(
    tmp_path: Path, small_disk: Path
) -> None:
    """The second level is not played, and named; what was acknowledged is in the records."""
    said: list[str] = []
    acknowledged: list[int] = []

    def fill_soon(progress: Progress) -> None:
        if progress.phase == "steady" and progress.elapsed_s > 1 and not acknowledged:
            acknowledged.append(progress.totals.ended)
            fill(small_disk)

    run = run_scenario(
        scenario_of(tmp_path),
        settings_on(small_disk, tmp_path),
        notify=said.append,
        on_progress=fill_soon,
    )

    (level,) = run.metrics.levels
    assert level.ended_because is EndedBecause.DISK_FULL
    assert level.validity == "incomplete"
    assert any("disk full" in reason for reason in level.reasons)
    assert [worker.reason for worker in level.workers] == ["done"]
    assert level.outcomes["ok"] + level.outcomes.get("abandoned", 0) >= acknowledged[0]
    stopped = run.metrics.manifest.stopped
    assert stopped is not None
    assert (stopped.because, len(stopped.not_run)) == ("disk full", 1)
    assert any("disk full" in line for line in said)
    assert "disk full" in run.report.html.read_text(encoding="utf-8")


def test_a_run_does_not_begin_on_a_disk_without_room(tmp_path: Path, small_disk: Path) -> None:
    settings = settings_on(small_disk, tmp_path)
    settings.results_dir.mkdir()
    fill(small_disk, leave_bytes=FLOOR_BYTES)

    with (
        Run(scenario_of(tmp_path), settings) as run,
        pytest.raises(RunFolderError, match="disk full"),
    ):
        run.load()

    (folder,) = list_runs(settings.results_dir)
    assert folder.read_status()["status"] == "failed"
    assert "disk full" in folder.read_status().get("why", "")


def test_slot_files_are_allocated_so_a_full_disk_is_no_bus_error(small_disk: Path) -> None:
    """The disk is full from the moment on at which the workers have their journals."""
    level = small_disk / "level"
    level.mkdir()
    log: list[LevelLog] = []
    is_full = threading.Event()

    def make_room() -> None:
        assert is_full.wait(30)
        (small_disk / "somebody-elses").unlink()

    def play() -> None:
        log.append(level_in(level, make_room=make_room).run())

    player = threading.Thread(target=play)
    player.start()
    until_s = time.monotonic() + 30
    while len(list(level.glob("worker-*.sqlite-wal"))) < 2 and time.monotonic() < until_s:
        time.sleep(0.005)
    fill(small_disk)
    is_full.set()
    player.join(30)

    (ended,) = log
    assert ended.ended_because is EndedBecause.DISK_FULL
    assert "SIGBUS" not in str(ended.workers)


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path: Path) -> None:
    """RLIMIT_FSIZE, as a quota: the journal cannot grow though the disk has room."""
    code = (
        "import resource, sys; from pathlib import Path; "
        "from tests.integration.levels.level_process import level_in; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); "
        "log = level_in(Path(sys.argv[1])).run(); "
        "print(log.ended_because, [one['reason'] for one in log.workers])"
    )
    (tmp_path / "level").mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "level"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "disk full" in ended.stdout, ended.stdout + ended.stderr
    assert "SIGBUS" not in ended.stdout
    assert "Traceback" not in ended.stderr
    shutil.rmtree(tmp_path / "level")
