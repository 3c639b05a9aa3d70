"""Campaigns on functions that leak."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.campaign.planned_campaign import planned_campaign
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.settings import Settings, current_settings
from perf_pipeline.endurance_run import run_endurance
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from perf_pipeline.servers.server import Server

SOAK = """
target = "callable"
interpreter = "{python}"
python_path = "{functions}"
servers = ["postgres"]
processes = 1

[environment]
PLANTED_ON = "{planted_on}"

[[workload]]
function = "leaky_functions:{function}"

[phases]
drain_s = 3

[endurance]
hours = {hours}
hour_seconds = {hour_seconds}
rate = {rate}
slots = 10
twin = {twin}
"""


@pytest.fixture(scope="session")
def kailash_python() -> Path:
    """The interpreter of kailash's environment, from the user's cache."""
    environ = dict(os.environ)
    cache = current_settings().cache_dir
    return make_environment(
        parse_target("kailash"), cache_dir=cache, environ=environ, uv=find_uv(environ)
    ).python


@pytest.fixture(scope="session")
def soaked(
    tmp_path_factory: pytest.TempPathFactory, servers: dict[str, Server], kailash_python: Path
) -> Callable[..., CampaignFolder]:
    """A function that plays a campaign on one of the leaky functions; returns its folder."""
    folder = tmp_path_factory.mktemp("soaked")
    settings: Settings = replace(settings_in(folder), urls={"postgres": servers["postgres"].url})

    def play(
        function: str,
        *,
        hours: int,
        hour_seconds: float,
        rate: float,
        planted_on: str = "none",
        twin: bool = False,
    ) -> CampaignFolder:
        path = folder / "soak.toml"
        text = SOAK.format(
            python=kailash_python,
            functions=Path(__file__).parent,
            planted_on=planted_on,
            function=function,
            hours=hours,
            hour_seconds=hour_seconds,
            rate=rate,
            twin=str(twin).lower(),
        )
        path.write_text(text)
        scenario = read_scenario(path, read_machine_limits())
        return run_endurance(planned_campaign(scenario), settings)

    return play
