"""Dagster runs in a sandbox, and what their instance remembers of them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from tests.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One for all tests of Dagster runs."""
    made = Sandbox(tmp_path_factory.mktemp("dagster"))
    made.environ["PERF_PIPELINE_NOISE"] = "tell"  # other tests use the machine as well
    yield made
    made.close()


@pytest.fixture(autouse=True)
def own_state_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test notes its results folder, or its servers, in the state folder of the user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


def run_config(sandbox: Sandbox, scenario: str, **more: Any) -> dict[str, Any]:
    """Return what the launchpad would send for a scenario file."""
    config = {"scenario": scenario, "results_dir": str(sandbox.results), **more}
    return {"resources": {"load_run_resource": {"config": config}}}


def config_file(sandbox: Sandbox, scenario: str, **more: Any) -> str:
    """Write that to a file; returns its path."""
    path = sandbox.folder / "run.json"
    path.write_text(json.dumps(run_config(sandbox, scenario, **more)), encoding="utf-8")
    return str(path)


@contextmanager
def instance_of(home: Path) -> Iterator[dg.DagsterInstance]:
    """Open the instance whose configuration lies in a folder."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


class Remembered:
    """What an instance remembers of one run.

    Attributes:
        run: The run, with status and tags.
        materialized: Asset to the metadata of its materialization.
        checks: Check to whether it passed.
        observed: (seconds since the epoch, metadata) of each observation.
        described: What the last observation says; empty without any.
    """

    def __init__(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
        self.run = run
        self.materialized: dict[str, dict[str, Any]] = {}
        self.checks: dict[str, bool] = {}
        self.observed: list[tuple[float, dict[str, Any]]] = []
        self.described = ""
        for entry in instance.all_logs(run.run_id):
            event = entry.dagster_event
            if event is None:
                continue
            if event.is_step_materialization:
                found = event.step_materialization_data.materialization
                self.materialized[found.asset_key.to_user_string()] = _values(found.metadata)
            elif event.event_type_value == "ASSET_CHECK_EVALUATION":
                check = event.asset_check_evaluation_data
                self.checks[check.check_name] = check.passed
            elif event.is_asset_observation:
                observation = event.asset_observation_data.asset_observation
                self.observed.append((entry.timestamp, _values(observation.metadata)))
                self.described = observation.description or ""


def latest(home: Path) -> Remembered:
    """Return the newest run of the instance in a folder."""
    with instance_of(home) as instance:
        return Remembered(instance, instance.get_runs(limit=1)[0])


def _values(metadata: Any) -> dict[str, Any]:
    return {key: value.value for key, value in metadata.items()}
