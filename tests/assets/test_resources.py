"""A run that the command line started is the one that it checked; any other is opened here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assets import resources
from assets.resources import LoadRun
from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.config.settings import CHECKED_RUN, current_settings
from perf_pipeline.loadgen.checked_run import CheckedRun
from perf_pipeline.loadgen.environment.environment import TargetEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKED = CheckedRun(
    "r-1",
    Scenario("mine", target="control", concurrency=(7,)),
    {"control": TargetEnvironment(Path("/opt/python"), "a hash", {})},
)


@pytest.fixture
def handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "checked"
    file.write_bytes(CHECKED.to_json())
    monkeypatch.setenv(CHECKED_RUN, str(file))


def _opened(run: LoadRun) -> tuple[Scenario, Mapping[str, TargetEnvironment]]:
    return run._checked(current_settings())


@pytest.mark.usefixtures("handed_over")
def test_the_scenario_is_not_opened_again_for_the_run_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is its target made, or a function tried, again."""
    monkeypatch.delattr(resources, "open_scenario")
    opened = _opened(LoadRun(scenario="baseline", run_id="r-1"))
    assert opened == (CHECKED.scenario, CHECKED.environments)


@pytest.mark.usefixtures("handed_over")
def test_another_run_in_the_same_process_opens_its_own() -> None:
    """As when it is executed once more from the UI, with other values."""
    scenario, environments = _opened(LoadRun(scenario="baseline", concurrency=[3]))
    assert (scenario.name, scenario.concurrency, environments) == ("baseline", (3,), {})
