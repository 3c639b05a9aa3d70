"""A container that is gone, as cAdvisor would serve it: the one cause here that is planted.

An engine is needed to make it real, and that is done where there is one: a container of the running
stack is killed in ``tests/docker/test_container_alerts.py``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perf_pipeline.selftest.alert_trials.planted_target import planted_target
from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup

if TYPE_CHECKING:
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_SEEN = 'container_last_seen{{name="perf_pipeline_{name}"}} {at_s:.3f}\n'
_SCRAPES = 20
"""How often it is seen before it is gone."""


class _Cadvisor:
    def __init__(self) -> None:
        self.scrapes = 0

    def text(self, _since_s: float) -> bytes:
        """Return one container that stays and one that is gone after a while."""
        names = ["postgres", *(["redis"] if self.scrapes < _SCRAPES else [])]
        self.scrapes += 1
        return "".join(_SEEN.format(name=one, at_s=time.time()) for one in names).encode()


def _play(stage: Stage) -> Looks:
    cadvisor = _Cadvisor()
    with planted_target(cadvisor.text) as address:
        stage.monitors.scrape("cadvisor", f"http://{address}")
        while cadvisor.scrapes < _SCRAPES:
            yield
        stage.begin("ContainerDown")
        while True:
            yield


GONE_CONTAINER = CauseGroup(
    (
        Cause(
            "ContainerDown",
            "a container that is gone",
            {"name": "perf_pipeline_redis"},
            is_real=False,
        ),
    ),
    _play,
)
