"""The job that promotes a run: its form has what it needs, and the name stands for the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.definitions import defs
from assets.regression.baselines import promote_baseline
from perf_pipeline.catalogue.baselines import list_baselines
from perf_pipeline.catalogue.store import open_catalogue
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def test_a_run_is_promoted_with_the_values_of_the_form(tmp_path: Path) -> None:
    """The observation on the page of the history names it."""
    write_run(tmp_path, "r-1")
    write_run(tmp_path, "r-2")
    form = {"name": "stable", "runs": ["r-1"], "note": "why", "results_dir": str(tmp_path)}
    with dg.DagsterInstance.ephemeral() as instance:
        done = promote_baseline.execute_in_process(
            run_config={"ops": {"promote_runs": {"config": form}}}, instance=instance
        )
        (observed,) = done.filter_events(
            lambda event: event.event_type_value == "ASSET_OBSERVATION"
        )
    (one,) = list_baselines(open_catalogue(tmp_path))
    assert (one.name, one.runs, one.note) == ("stable", ("r-1",), "why")
    metadata = observed.event_specific_data.asset_observation.metadata
    assert metadata["runs"].value == "r-1"


def test_without_values_the_latest_run_becomes_stable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, "r-1")
    write_run(tmp_path, "r-2")
    monkeypatch.setenv("PERF_PIPELINE_RESULTS", str(tmp_path))
    assert defs.get_job_def("promote_baseline").execute_in_process().success
    assert [(one.name, one.runs) for one in list_baselines(open_catalogue(tmp_path))] == [
        ("stable", ("r-2",))
    ]


def test_what_cannot_be_promoted_fails_in_a_sentence(tmp_path: Path) -> None:
    write_run(tmp_path, "r-1")
    write_run(tmp_path, "r-2", scenario="other")
    form = {"runs": ["r-1", "r-2"], "results_dir": str(tmp_path)}
    done = promote_baseline.execute_in_process(
        run_config={"ops": {"promote_runs": {"config": form}}}, raise_on_error=False
    )
    (failed,) = [event for event in done.all_events if event.is_step_failure]
    assert "pin runs of one scenario at a time" in str(failed.step_failure_data.error)
