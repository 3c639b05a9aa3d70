"""A run is measured by a process that has imported what that takes, or by whoever asks."""

from __future__ import annotations

import select
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.measure import measure_run
from perf_pipeline.analysis.measuring_process import (
    MEASURED,
    READY,
    MeasuringProcess,
    measured_ahead,
    measuring_pids,
)
from perf_pipeline.analysis.stored_metrics import metrics_of
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

START_S = 60.0


def _once_ready(process: MeasuringProcess) -> MeasuringProcess:
    answers = process._process.stdout
    assert answers is not None
    assert select.select([answers], [], [], START_S)[0], f"not ready after {START_S:.0f} s"
    return process


def _imitation(program: str) -> MeasuringProcess:
    return MeasuringProcess([sys.executable, "-I", "-S", "-c", program])


def test_a_run_is_measured_by_the_process_as_by_its_asker(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "results", "20260114_093012-4f2c", measured=False)
    done: list[str] = []
    with closing(_once_ready(MeasuringProcess())) as process:
        assert process.measure(folder.root, lambda: done.append("meanwhile"))
    assert done == ["meanwhile"]
    assert folder.records.exists()
    assert metrics_of(folder) == measure_run(folder)


@pytest.mark.parametrize(
    "program",
    [
        f"print({READY!r}, end='', flush=True); input(); exit(1)",
        f"print({READY!r}, end='', flush=True); input(); print('something else')",
        "raise SystemExit(1)",
    ],
)
def test_where_it_does_not_work_nothing_counts_as_measured(tmp_path: Path, program: str) -> None:
    with closing(_once_ready(_imitation(program))) as process:
        assert not process.measure(tmp_path, lambda: None)


def test_nobody_waits_for_its_imports(tmp_path: Path) -> None:
    """One that is not ready when the load has ended is left alone: it may never be."""
    program = f"import time; time.sleep(600); print({READY + MEASURED!r})"
    with closing(_imitation(program)) as process:
        assert not process.measure(tmp_path, lambda: None)


def test_a_process_that_none_was_started_for_measures_its_run_itself(tmp_path: Path) -> None:
    assert measuring_pids() == []
    assert not measured_ahead(tmp_path, lambda: None)
