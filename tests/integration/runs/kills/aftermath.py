"""What must hold of a run after a kill: it is marked and reported, and leaves nothing behind."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.measure import measure_run
from perf_pipeline.clearing import clear
from perf_pipeline.cli.inspect import count_records
from perf_pipeline.samples.run_folder import RunFolder, read_json
from perf_pipeline.samples.run_record import KILLED
from perf_pipeline.servers.redis import data as redis_data
from perf_pipeline.servers.redis.data import storage_name
from tests.integration.runs.traces import schemas

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings
    from tests.integration.runs.kills.killing import Account

KILLS = [2, pytest.param(70, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
"""Of steps, workers and PostgreSQL each: 6 in ``make test``, 210 more in ``make test-long``."""


def check_killed(run: RunFolder, settings: Settings) -> None:
    """See that a killed run is marked, reported, and leaves nothing on servers that live on."""
    if not run.status_file.exists():
        clear(settings)
    else:
        counted = count_records(run)
        assert counted["status"] == KILLED
        lines = "\n".join(clear(settings))
        assert f"run {run.run_id} was killed" in lines
        assert read_json(run.status_file)["status"] == KILLED
        if run.manifest.exists():
            metrics = measure_run(run)
            assert (metrics.status, metrics.validity) == (KILLED, "incomplete")
            assert (run.root / "report.html").stat().st_size > 0
            assert count_records(run) == counted
    if settings.urls:
        assert not {name for name in schemas(settings.urls["postgres"]) if "perf_" in name}
        keys = storage_name(run.run_id)
        assert redis_data.drop(settings.urls["redis"], keys) == 0
    assert list((settings.state_dir / "leases").glob("*")) == []
    assert list(settings.temp_dir.glob("perf_pipeline-*")) == []


def check_worth(accounts: list[Account], min_levels: float) -> None:
    """See that the kills met load: levels were killed while thousands of records were made."""
    assert len(accounts) >= min_levels
    assert sum(account.acknowledged for account in accounts) > 100 * len(accounts)
    assert sum(account.rows for account in accounts) > 50 * len(accounts)
    sys.stdout.write("".join(f"{account}\n" for account in accounts))
