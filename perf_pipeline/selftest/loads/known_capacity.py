"""One capacity search in real time, as ``perf-pipeline capacity`` makes it, with a known truth.

The workflows share 4 slots, each of which a workflow occupies for 20 ms. So with N in flight one
takes N x 5 ms, and the greatest N whose mean is within a limit is limit / 5 ms. A sleep takes
somewhat longer than requested, because of the kernel and the interpreter, which is part of the
truth: with 4 in flight none waits, so the mean time of the first step is how long a slot is
occupied.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from perf_pipeline.analysis.queueing import LITTLE_SHARE
from perf_pipeline.capacity_run import search_capacity
from perf_pipeline.config.scenario.capacity_question import (
    MAX_STEPS,
    CapacityQuestion,
    with_failures,
)
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.selftest.figure import Figure
from perf_pipeline.selftest.known.slots import HELD_S, SLOTS

LIMIT_S = 0.205
"""Between two numbers in flight, 40 (0.2 s) and 42."""

NEAR_PERCENT = 5.0
STEADY_S = 2.5
_HOLD = "perf_pipeline.selftest.known.slots:hold"
_log = logging.getLogger(__name__)


def real_time_figures(seed: int) -> list[Figure]:
    """Search for the greatest number in flight, once."""
    scenario = Scenario(
        "selftest-capacity",
        seed=seed,
        target="callable",
        concurrency=(SLOTS,),
        processes=1,
        workloads=(Workload(_HOLD, ""),),
        phases=Phases(ramp_up_s=0.2, warm_up_s=0.5, steady_s=STEADY_S, drain_s=1.0),
        interpreter=sys.executable,
        slos=(Slo("avg_s", LIMIT_S),),
    )
    question = CapacityQuestion("in_flight", SLOTS, 1, 1000, 1000, with_failures(scenario))
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        settings = replace(current_settings(), results_dir=Path(temporary), noise="tell")
        finding = search_capacity(scenario, question, settings, notify=_log.info)
    alone = [p.little.time_s for p in finding.points if p.load == SLOTS and p.little]
    occupied_s = alone[-1] if alone else HELD_S
    truth = LIMIT_S * SLOTS / occupied_s
    off = None if finding.value is None else 100 * abs(finding.value / truth - 1)
    little = [p.little for p in finding.points if p.verdict == "met" and p.little]
    worst = max((100 * abs(one.ratio - 1) for one in little), default=None)
    name = f"{SLOTS} slots of {1e3 * HELD_S:g} ms in real time"
    return [
        Figure(
            f"{name}: capacity, off the true {truth:.3g} in flight by",
            off,
            "%",
            NEAR_PERCENT,
            note=f"{finding.summary}; a slot was occupied for {1e3 * occupied_s:.2f} ms",
        ),
        Figure(f"{name}: steps", finding.steps, "", MAX_STEPS),
        Figure(f"{name}: Little's law at steps that met, worst", worst, "%", 100 * LITTLE_SHARE),
    ]
