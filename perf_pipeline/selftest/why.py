"""A slowdown planted in one function of a target is named first in at least 9 of 10 trials.

A workflow calls five functions of about a fifth of its CPU time each. In a trial one of them, drawn
at random, does three quarters more; both sides are played and sampled as ``--explain`` does. Sides
that are alike are compared as well: hardly ever may a function be called clearly moved.
"""

from __future__ import annotations

import logging
import random
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from perf_pipeline.analysis.profile.arm_samples import ArmSamples
from perf_pipeline.analysis.profile.moves import function_moves
from perf_pipeline.analysis.profile.sampling_cost import sampling_cost
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.scenario.variables import Variables
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.environment.user_code import UserCode
from perf_pipeline.loadgen.profiling.py_spy import PySpy, open_py_spy
from perf_pipeline.loadgen.profiling.sampled_level import play_sampled, sampled_plan
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.known.planted import FUNCTIONS, SLOWED
from perf_pipeline.targets.target import Job, Kind, ServerAccess

NAMED_SHARE = {Size.CI: 1 / 3, Size.FULL: 0.9}
TRIALS = {Size.CI: 3, Size.FULL: 10}
"""At size ci the first trial that is right is the last: one in ten may be wrong."""

MAX_FALSE = 1
FUNCTION = "perf_pipeline.selftest.known.planted:work"
SLOTS = 3
OTHER_THREADS = 4
PAIRS = 5

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Plant slowdowns, and nothing."""
    rng = random.Random(f"{seed}/why")
    planted = [rng.choice(FUNCTIONS) for _ in range(TRIALS[size])]
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)
        try:
            spy = open_py_spy(SLOTS + OTHER_THREADS, folder)
        except PerfPipelineError as error:
            return [_named(size, [], planted, f"not sampled: {error}")]
        levels = _Levels(folder, spy, seed)
        baselines, named, ratios = [], [], []
        for function in planted:
            sides = levels.side(""), levels.side(function)
            moves = function_moves(*sides)
            baselines.append(sides[0])
            named.append(moves[0].function if moves else "")
            costs = [sampling_cost(side.pairs).throughput_ratio for side in sides]
            ratios += [ratio for ratio in costs if ratio is not None]
            log.info("why: planted %s, named %s", function, named[-1])
            if size is Size.CI and named[-1] == function:
                break
    note = "; ".join(f"{a}: {b or 'nothing'}" for a, b in zip(planted, named, strict=False))
    return [
        _named(size, named, planted, note),
        *([_false(baselines)] if size is Size.FULL else []),
        Figure(
            "throughput while sampled / throughput beside it, mean over all sides",
            sum(ratios) / len(ratios) if ratios else None,
            "",
            None,
            note=f"{spy.version}, {spy.rate_hz} samples a second, "
            f"{'native frames' if spy.is_native else 'without native frames'}",
        ),
    ]


def _false(baselines: list[ArmSamples]) -> Figure:
    """Compare each baseline with the next one, which is the same code."""
    clear = [
        [move.function for move in function_moves(a, b) if move.is_clear]
        for a, b in pairwise(baselines)
    ]
    return Figure(
        "pairs of sides that are alike in which a function is called clearly moved",
        sum(map(bool, clear)),
        "pairs",
        MAX_FALSE,
        note=f"of {len(clear)} pairs; the intervals allow for one in twenty",
    )


def _named(size: Size, named: list[str], planted: list[str], note: str) -> Figure:
    right = sum(a == b for a, b in zip(planted, named, strict=False))
    return Figure(
        "planted slowdowns of which the function is named first",
        right / len(named) if named else None,
        "",
        NAMED_SHARE[size],
        at_most=False,
        note=note,
    )


class _Levels:
    def __init__(self, folder: Path, spy: PySpy, seed: int) -> None:
        self._folder = folder
        self._spy = spy
        self._seed = seed
        self._played = 0

    def side(self, slowed: str) -> ArmSamples:
        """Play and sample one level in which a function is slower; empty for none."""
        scenario = Scenario(
            "why",
            seed=self._seed,
            target="callable",
            workloads=(Workload(FUNCTION, ""),),
            phases=Phases(warm_up_s=0.5, drain_s=1.0),
        )
        plan = sampled_plan(scenario, index=self._played, label="why", in_flight=SLOTS, pairs=PAIRS)
        self._played += 1
        folder = self._folder / plan.folder_name
        folder.mkdir()
        servers = ServerAccess({}, connections=1, connection_timeout_s=1.0)
        pairs = play_sampled(
            plan,
            folder=folder,
            python=Path(sys.executable),
            job=Job((Kind(FUNCTION, ""),), "", self._seed, "why", plan.index, servers),
            spy=self._spy,
            pairs=PAIRS,
            user_code=UserCode(
                python_path=str(PROJECT), variables=Variables({SLOWED: slowed or "none"})
            ),
        )
        return ArmSamples(slowed or "unchanged", plan.target, tuple(pairs))
