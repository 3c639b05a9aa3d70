"""An exporter of the machine that is killed, and one of a Redis that nobody started."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup
from perf_pipeline.servers.monitors.programs import exporter_of, node_exporter
from perf_pipeline.servers.server import Facts, Server

if TYPE_CHECKING:
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_ABSENT = Server("redis", "redis://127.0.0.1:9/0", "settings", Facts("Redis", "", {}, None))
"""Port 9 is that of discard."""


def _play(stage: Stage) -> Looks:
    node = stage.monitors.start(node_exporter())
    redis = exporter_of(_ABSENT)
    assert redis is not None
    stage.monitors.scrape("node", node.server.url)
    stage.monitors.scrape("redis", stage.monitors.start(redis).server.url)
    yield
    stage.begin("TargetDown", "ServerDown")
    os.kill(node.server.pids[0], signal.SIGKILL)
    while True:
        yield


ABSENT_SERVERS = CauseGroup(
    (
        Cause("TargetDown", "the exporter of the machine is killed", {"job": "node"}),
        Cause("ServerDown", "an exporter of a Redis that is not there", {"job": "redis"}),
    ),
    _play,
    is_quick=True,
)
