"""The figures of the selftest ``recovery``: found against planted, seed by seed."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.recovery.level_recovery import level_recovery
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.recovery.failing_service import (
    GO_NS,
    Failure,
    planted_level,
    recovers_after_s,
)

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery, LevelRecovery

RATE_PER_S = 50.0
"""Half of what the service can do."""

STORMS = 20
RUNS = {Size.CI: 5, Size.FULL: 40}
FAILURES = (
    ("errors", Failure(length_s=3.0)),
    ("errors, and 2 s more", Failure(length_s=2.0, lag_s=2.0)),
    ("freeze", Failure(length_s=3.0, freezes=True, is_even=True)),
)
STORM = Failure(length_s=3.0, freezes=True, retries=3)
MAX_ERROR_S = 0.25
MAX_ERROR_PERCENT = 5.0

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Plant failures of which everything is known, and storms from which nothing comes back."""
    figures = []
    for place, (what, failure) in enumerate(FAILURES):
        figures += _known(what, failure, RUNS[size], seed + 1000 * place)
    log.info("storms: %d with retries and as many without", STORMS)
    with_retries = [recovery_of(STORM, seed + at)[1].verdict for at in range(STORMS)]
    patient = replace(STORM, retries=0)
    without = [recovery_of(patient, seed + at)[1].verdict for at in range(STORMS)]
    shams = [recovery_of(replace(STORM, is_sham=True), seed + at)[1] for at in range(STORMS)]
    return [
        *figures,
        Figure(
            f"retry storms of {STORMS} that are metastable",
            with_retries.count("metastable"),
            "runs",
            STORMS,
            at_most=False,
        ),
        Figure(f"metastable of {STORMS} without retries", without.count("metastable"), "runs", 0),
        Figure(
            f"recovered of {STORMS} without retries",
            without.count("recovered"),
            "runs",
            STORMS,
            at_most=False,
        ),
        Figure(
            f"other than invalid of {STORMS} that do nothing",
            sum(one.verdict != "invalid" for one in shams),
            "runs",
            0,
        ),
    ]


def recovery_of(failure: Failure, seed: int) -> tuple[LevelRecovery, FaultRecovery]:
    """Return what is found of a planted failure."""
    level = planted_level(failure, RATE_PER_S, np.random.default_rng(seed))
    found = level_recovery(level.stored, level.records, window_ns=level.window_ns, go_ns=GO_NS)
    assert found is not None  # one was planted
    return found, found.faults[0]


def _known(what: str, failure: Failure, runs: int, seed: int) -> list[Figure]:
    """Compare the time to recover and the lost service of some runs with the truth."""
    log.info("%s: %d runs", what, runs)
    off_s, off_percent, inside = [], [], 0
    for at in range(runs):
        found, fault = recovery_of(failure, seed + at)
        took, lost, before = fault.time_to_recover_s, fault.lost_service_s, found.baseline
        if took is None or lost is None or before is None:
            off_s.append(float("nan"))
            off_percent.append(float("nan"))
            continue
        truth_s = recovers_after_s(failure, RATE_PER_S, before.as_before_s)
        lost_s = failure.length_s + truth_s
        off_s.append(abs(took.value - truth_s))
        off_percent.append(100 * abs(lost.value / lost_s - 1))
        inside += lost.low <= lost_s <= lost.high
    return [
        Figure(
            f"{what}: time to recover, worst of {runs}", float(np.max(off_s)), "s off", MAX_ERROR_S
        ),
        Figure(
            f"{what}: lost service, worst of {runs}",
            float(np.max(off_percent)),
            "% off",
            MAX_ERROR_PERCENT,
        ),
        Figure(
            f"{what}: lost service within its 95 % interval",
            100 * inside / runs,
            "% of runs",
            None,
        ),
    ]
