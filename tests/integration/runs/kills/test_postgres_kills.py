"""Kills of PostgreSQL under load, which comes back each time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.measure import measure_run
from perf_pipeline.run import Run
from perf_pipeline.samples.record import ErrorClass
from tests.integration.levels.loads import POSTGRES
from tests.integration.runs.kills.aftermath import KILLS, check_worth
from tests.integration.runs.kills.killing import check_level, kill_postgres
from tests.integration.runs.kills.witness import committed

if TYPE_CHECKING:
    import random

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.lifecycle.services import ServiceSession
    from tests.integration.runs.kills.killing import Account

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("kills", KILLS)
def test_killing_postgresql_loses_no_ok_workflows_row(
    lasting: Settings, session: ServiceSession, rng: random.Random, kills: int
) -> None:
    """What it could not answer is an error of class connection, whether or not it was stored.

    PostgreSQL is killed about every 2 s, until a second before the level ends.
    """
    steady_s = min(POSTGRES.phases.steady_s, 3.0 * kills)
    scenario = replace(POSTGRES, phases=replace(POSTGRES.phases, steady_s=steady_s))
    accounts: list[Account] = []
    killed = 0
    while killed < kills:
        with Run(scenario, lasting) as run, ThreadPoolExecutor(1) as pool:
            over = threading.Event()
            level = run.folder.root / "levels" / "00-8"
            killing = pool.submit(kill_postgres, session, level, rng, over, steady_s - 1)
            try:
                run.load()
            finally:
                over.set()
            servers, _ = killing.result()
        killed += servers
        rows = committed(lasting.urls["postgres"], run.run_id, 0)
        accounts.append(check_level(level, scenario, (), rows, {ErrorClass.CONNECTION}))
        (measured,) = measure_run(run.folder).levels
        assert measured.error_classes["connection"] > servers
        assert measured.workers[0].reason == measured.workers[1].reason == "done"
        assert all(write.missing == 0 or write.problem for write in measured.writes)
    check_worth(accounts, min_levels=1)
