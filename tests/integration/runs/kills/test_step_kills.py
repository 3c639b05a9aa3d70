"""Kills of the process of a run, with and without servers of its own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil
import pytest

from perf_pipeline.samples.run_folder import RunFolder, new_run_id
from perf_pipeline.servers.postgres.probe import PostgresProbe
from perf_pipeline.workload.servers import connection_name
from tests.integration.levels.loads import QUICK, STEP
from tests.integration.runs.connection_counts import total_and_active
from tests.integration.runs.kills.aftermath import KILLS, check_killed, check_worth
from tests.integration.runs.kills.killing import (
    ENOUGH,
    check_level,
    kill_step,
    start_step,
    wait_for_records,
)
from tests.integration.runs.kills.witness import acknowledged, committed
from tests.integration.runs.traces import (
    folders_in,
)
from tests.sandbox import Sandbox, last_object, until

if TYPE_CHECKING:
    import random
    import subprocess
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from tests.integration.runs.kills.killing import Account

pytestmark = pytest.mark.integration

EARLY = ""
MOMENTS = (EARLY, "02-*", "*")
"""Levels after some records of which a step is killed: the third, and any."""


@pytest.mark.parametrize("kills", KILLS)
def test_killing_the_step_loses_no_acknowledged_record(
    tmp_path: Path, lasting: Settings, rng: random.Random, kills: int
) -> None:
    """From before its first level to its third; nothing of it lives on or stays on the servers."""
    accounts: list[Account] = []
    for kill in range(kills):
        run = RunFolder(lasting.results_dir / new_run_id(datetime.now(UTC)))
        step = start_step(STEP, tmp_path, run.run_id, lasting.urls, tmp_path / "step.log")
        _wait_for_a_moment(step, run, rng, MOMENTS[kill % len(MOMENTS)])
        assert step.poll() is None, (tmp_path / "step.log").read_text()
        before = kill_step(step, run.root)
        assert until(lambda: _connections(lasting, run) == (0, 0))  # noqa: B023 - called at once
        check_killed(run, lasting)
        for level, blocks in before.items():
            if (level / "level.json").exists():
                rows = committed(lasting.urls["postgres"], run.run_id, int(level.name[:2]))
                accounts.append(check_level(level, STEP, blocks, rows))
    check_worth(accounts, min_levels=kills / 2)
    assert sum(account.made for account in accounts) >= kills / len(MOMENTS)


def test_a_killed_step_takes_the_servers_that_it_started_with_it(
    tmp_path: Path, settings: Settings, rng: random.Random
) -> None:
    """While they start, and under load; with them go their folders."""
    for moment_s in (rng.uniform(0.8, 3.0), rng.uniform(4.0, 9.0)):
        run = RunFolder(settings.results_dir / new_run_id(datetime.now(UTC)))
        step = start_step(STEP, tmp_path, run.run_id, {}, tmp_path / "step.log")
        time.sleep(moment_s)
        assert step.poll() is None, (tmp_path / "step.log").read_text()
        before = kill_step(step, run.root)
        assert until(lambda: folders_in(tmp_path) == [])
        check_killed(run, settings)
        for level, blocks in before.items():
            left = {block for block in blocks if block not in acknowledged(level)}
            assert left == set()


def test_records_tells_what_is_left_when_the_dagster_process_of_a_run_is_killed(
    tmp_path: Path, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    """The step as users have it: exit code 3, and it left no word, so its run counts as killed.

    ``records`` counts what was acknowledged, and what is missing.
    """
    sandbox = Sandbox(tmp_path)
    scenario = sandbox.long_scenario("killed", servers=["postgres", "redis"])
    began = sandbox.start("perf-pipeline", "run", scenario, "--json", log=tmp_path / "run.log")
    request.addfinalizer(sandbox.close)
    run = RunFolder(sandbox.wait_until_steady(began, 0))
    time.sleep(rng.uniform(0.0, 2.0))
    (level,) = run.level_folders()
    (step,) = psutil.Process(began.pid).children()
    before = acknowledged(level)
    step.kill()
    assert began.wait() == 3
    assert until(lambda: not sandbox.processes())
    assert folders_in(sandbox.temp) == []
    account = check_level(level, QUICK, before, None)
    told = last_object((tmp_path / "run.log").read_text(encoding="utf-8"))
    assert (told["status"], told["validity"]) == ("killed", "incomplete")
    assert "ended by SIGKILL" in (tmp_path / "run.err").read_text(encoding="utf-8")
    counted = last_object(sandbox.cli("records", run.run_id, "--json").stdout)
    assert (counted["status"], counted["levels"][0]["validity"]) == ("killed", "incomplete")
    assert counted["recovered"]
    assert counted["outcomes"]["ok"] > 0
    assert counted["may_be_missing"] == account.may_be_missing
    assert sum(counted["outcomes"].values()) == account.acknowledged + account.made


def _wait_for_a_moment(
    step: subprocess.Popen[bytes], run: RunFolder, rng: random.Random, levels: str
) -> None:
    """Wait until a random moment of a step: early, or after so many records of some levels.

    Records and not seconds: on a busy machine most of a step's time lies between its levels.
    """
    if levels == EARLY:
        time.sleep(rng.uniform(0.3, 1.0))
        return
    wait_for_records(
        lambda: (run.root / "levels").glob(levels),
        lambda: step.poll() is not None,
        rng.randrange(ENOUGH, 4 * ENOUGH),
    )
    time.sleep(rng.uniform(0.0, 0.3))


def _connections(settings: Settings, run: RunFolder) -> tuple[int, int]:
    """Return how many connections the run's workers have; a back end may outlive its client."""
    name = connection_name(run.run_id)
    return total_and_active(PostgresProbe(settings.urls["postgres"], name))
