"""Kills of worker processes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.measure import measure_run
from perf_pipeline.run import Run
from perf_pipeline.samples.run_record import COMPLETE
from tests.integration.levels.loads import WORKERS
from tests.integration.runs.kills.aftermath import KILLS, check_worth
from tests.integration.runs.kills.killing import check_level, kill_workers
from tests.integration.runs.kills.witness import committed

if TYPE_CHECKING:
    import random

    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("kills", KILLS)
def test_killing_workers_loses_no_acknowledged_record(
    lasting: Settings, rng: random.Random, kills: int
) -> None:
    """One of two workers in every level: starting, ramping up, playing."""
    with Run(replace(WORKERS, repeats=kills), lasting) as run, ThreadPoolExecutor(1) as pool:
        over = threading.Event()
        killing = pool.submit(kill_workers, run.folder.root, rng, over)
        try:
            run.load()
        finally:
            over.set()
        before = killing.result()
    assert len(before) == kills
    url = lasting.urls["postgres"]
    accounts = [
        check_level(level, WORKERS, blocks, committed(url, run.run_id, int(level.name[:2])))
        for level, blocks in before.items()
    ]
    check_worth(accounts, min_levels=kills / 2)
    assert run.folder.read_status()["status"] == COMPLETE
    for level in measure_run(run.folder).levels:
        reasons = sorted(worker.reason.split(":")[0] for worker in level.workers)
        assert reasons[-1] == "killed by SIGKILL", level.workers
        assert (level.validity, level.outcomes["error"]) == (
            "incomplete",
            level.error_classes.get("target_crash", 0),
        )
        assert all(write.missing == 0 for write in level.writes)
