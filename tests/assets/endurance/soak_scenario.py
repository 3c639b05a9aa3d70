"""A campaign of short hours on functions without a runtime."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.endurance_run import end_target
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox import Sandbox

SOAK = """
target = "control"
[[workload]]
family = "transformation"
complexity = "simple"
[phases]
drain_s = 2
deadline_s = 5
[endurance]
hours = {hours}
hour_seconds = {hour_seconds}
rate = 40
slots = 20
twin = false
"""


def soak_scenario(sandbox: Sandbox, hours: int, hour_seconds: float) -> Path:
    """Write the scenario; returns its file."""
    path = sandbox.folder / "soak.toml"
    path.write_text(SOAK.format(hours=hours, hour_seconds=hour_seconds), encoding="utf-8")
    return path


@contextmanager
def soak_campaign(sandbox: Sandbox, hours: int, hour_seconds: float) -> Iterator[CampaignFolder]:
    """Begin a campaign by materializing ``soak_target``; at the end its target is ended."""
    scenario = str(soak_scenario(sandbox, hours, hour_seconds))
    fields = {"scenario": scenario, "results_dir": str(sandbox.results), "new_campaign": True}
    config = sandbox.folder / "soak.json"
    config.write_text(json.dumps({"ops": {"soak_target": {"config": fields}}}), encoding="utf-8")
    begun = sandbox.dagster("asset", "materialize", "--select", "soak_target", "-c", str(config))
    assert begun.returncode == 0, begun.stdout
    folder = CampaignFolder(max(sandbox.results.glob("endurance-*/")))
    try:
        yield folder
    finally:
        end_target(folder)
