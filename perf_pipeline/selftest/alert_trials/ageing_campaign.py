"""A campaign of scaled hours on a target that leaks and slows down; it is played to its end.

::

    python -m perf_pipeline.selftest.alert_trials.ageing_campaign SCENARIO
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from perf_pipeline.campaign.campaign_judging import judge_campaign
from perf_pipeline.campaign.planned_campaign import planned_campaign
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.endurance_run import end_target, run_endurance
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.selftest.alert_trials.played_run import played_process
from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup

if TYPE_CHECKING:
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_SCENARIO = """
title = "a target that leaks and slows down"
target = "callable"
processes = 1
[[workload]]
function = "perf_pipeline.selftest.known.ageing:keep_and_search"
[phases]
drain_s = 1
[endurance]
hours = 10
hour_seconds = 4
rate = 100
slots = 4
twin = false
"""
"""A leak takes 2500 workflows and 13 blocks of samples; a loss takes four hours."""


def _play(stage: Stage) -> Looks:
    folder = stage.folder / "ageing"
    try:
        with played_process(__name__, _SCENARIO, folder, stage.scrape_dir):
            while not any(folder.glob("results/*/hours/*/hour.json")):
                yield
            stage.begin("LeakSuspected", "Degradation")
            while True:
                yield
    finally:
        for campaign in folder.glob("results/endurance-*/"):
            end_target(CampaignFolder(campaign))


_LABELS = {"scenario": "ageing"}
AGEING_CAMPAIGN = CauseGroup(
    (
        Cause(
            "LeakSuspected",
            "a campaign on a target that keeps what each workflow made",
            {**_LABELS, "signal": "target.heap_blocks"},
        ),
        Cause(
            "Degradation",
            "each workflow searches all that is kept",
            {**_LABELS, "metric": "p50_s"},
        ),
    ),
    _play,
)


if __name__ == "__main__":
    judge_campaign(run_endurance(planned_campaign(open_scenario(sys.argv[1])), current_settings()))
