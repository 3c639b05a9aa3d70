"""A run that is stopped, and then killed."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from perf_pipeline.selftest.alert_trials.played_run import played_run
from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup

if TYPE_CHECKING:
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_SCENARIO = """
title = "a run that hangs, and is killed"
target = "callable"
processes = 1
concurrency = [2]
[[workload]]
function = "perf_pipeline.selftest.known.slots:hold"
[phases]
ramp_up_s = 0
warm_up_s = 0.2
steady_s = 120
"""


def _play(stage: Stage) -> Looks:
    with played_run(_SCENARIO, stage.folder / "stopped", stage.scrape_dir) as run:
        yield from run.until(lambda: run.phase() == "steady")
        stage.begin("HeartbeatStale")
        run.process.send_signal(signal.SIGSTOP)
        yield from stage.until_fired("HeartbeatStale")
        stage.begin("RunProcessGone")
        run.process.kill()
        run.process.wait()
        while True:
            yield


_LABELS = {"scenario": "stopped"}
STOPPED_RUN = CauseGroup(
    (
        Cause("HeartbeatStale", "the run is stopped (SIGSTOP)", _LABELS),
        Cause("RunProcessGone", "the run is killed", _LABELS),
    ),
    _play,
    is_quick=True,
)
