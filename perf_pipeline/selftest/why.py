"""A slowdown planted in one function of a target is named first in at least 9 of 10 trials.

A workflow calls five functions of about a fifth of its CPU time each. In a trial one of them, drawn
at random, does three quarters more; the levels of both sides alternate and are sampled as
``--explain`` does it. At size full each trial has a third side, which is the first one again:
hardly ever may a function be called clearly moved between sides that are alike. Where other
programs took the cores, samples do not tell who computed (``profile.CROWDED_RATIO``): too few named
functions are not measured then, and nothing is proven.
"""

from __future__ import annotations

import logging
import random
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from perf_pipeline.analysis.profile.arm_samples import ArmSamples
from perf_pipeline.analysis.profile.moves import function_moves
from perf_pipeline.analysis.profile.profile import CROWDED_RATIO
from perf_pipeline.analysis.profile.sampling_cost import sampling_cost
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.scenario.variables import Variables
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.explaining.explain import EFFORT, Effort
from perf_pipeline.loadgen.environment.user_code import UserCode
from perf_pipeline.loadgen.profiling.py_spy import PySpy, open_py_spy
from perf_pipeline.loadgen.profiling.sampled_level import play_sampled, sampled_plan
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.known.planted import FUNCTIONS, SLOWED
from perf_pipeline.targets.target import Job, Kind, ServerAccess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.samples.stacks.window import WindowPair

NAMED_SHARE = {Size.CI: 1 / 3, Size.FULL: 0.9}
TRIALS = {Size.CI: 3, Size.FULL: 10}
"""At size ci the first trial that is right is the last: one in ten may be wrong."""

EFFORTS = {Size.CI: Effort(levels=2, pairs=2), Size.FULL: EFFORT}
MAX_FALSE = 1
UNCHANGED = "none"
FUNCTION = "perf_pipeline.selftest.known.planted:work"
SLOTS = 3
OTHER_THREADS = 4

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
        named: list[str] = []
        false: list[list[str]] = []
        ratios: list[float] = []
        waits: list[float] = []
        for function in planted:
            again = [UNCHANGED] if size is Size.FULL else []
            before, after, *alike = levels.sides([UNCHANGED, function, *again], EFFORTS[size])
            moves = function_moves(before, after)
            named.append(moves[0].function if moves else "")
            waits += [side.core_wait_ratio or 0.0 for side in (before, after)]
            false += [_clear(before, other) for other in alike]
            costs = [sampling_cost(side.pairs).throughput_ratio for side in (before, after, *alike)]
            ratios += [ratio for ratio in costs if ratio is not None]
            log.info("why: planted %s, named %s, clear without: %s", function, named[-1], false)
            if size is Size.CI and named[-1] == function:
                break
    note = "; ".join(f"{a}: {b or 'nothing'}" for a, b in zip(planted, named, strict=False))
    return [
        _named(size, named, planted, note, waits),
        *([_false(false)] if false else []),
        Figure(
            "throughput while sampled / throughput beside it, mean over all sides",
            sum(ratios) / len(ratios) if ratios else None,
            "",
            None,
            note=f"{spy.version}, {spy.rate_hz} samples a second, "
            f"{'native frames' if spy.is_native else 'without native frames'}",
        ),
    ]


def _clear(side: ArmSamples, other: ArmSamples) -> list[str]:
    return [move.function for move in function_moves(side, other) if move.is_clear]


def _false(clear: Sequence[Sequence[str]]) -> Figure:
    found = "; ".join(", ".join(functions) for functions in clear if functions)
    return Figure(
        "pairs of sides that are alike in which a function is called clearly moved",
        sum(map(bool, clear)),
        "pairs",
        MAX_FALSE,
        note=f"of {len(clear)} pairs; the intervals allow for one in twenty"
        + (f"; moved: {found}" if found else ""),
    )


def _named(
    size: Size,
    named: list[str],
    planted: list[str],
    note: str,
    core_wait_ratios: Sequence[float] = (),
) -> Figure:
    """Return how many were named first; beside other programs too few prove nothing."""
    right = sum(a == b for a, b in zip(planted, named, strict=False))
    share = right / len(named) if named else None
    crowded = median(core_wait_ratios) if core_wait_ratios else 0.0
    if share is not None and share < NAMED_SHARE[size] and crowded > CROWDED_RATIO:
        note = (
            f"{right} of {len(named)}, but threads waited {crowded:.2g} s for a core for each "
            f"second on one (limit {CROWDED_RATIO:g}), so samples do not tell who computed: end "
            f"other programs; {note}"
        )
        share = None
    return Figure(
        "planted slowdowns of which the function is named first",
        share,
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

    def sides(self, slowed: Sequence[str], effort: Effort) -> list[ArmSamples]:
        """Play and sample the levels of several sides, every second round in reverse.

        Args:
            slowed: The slower function of each side, or ``UNCHANGED``.
            effort: How much is sampled.
        """
        found: list[list[tuple[WindowPair, ...]]] = [[] for _ in slowed]
        for again in range(effort.levels):
            for at in range(len(slowed)) if again % 2 == 0 else reversed(range(len(slowed))):
                found[at].append(self._level(slowed[at], effort.pairs, again * effort.pairs))
        return [
            ArmSamples(name, "callable", tuple(levels))
            for name, levels in zip(slowed, found, strict=True)
        ]

    def _level(self, slowed: str, pairs: int, first: int) -> tuple[WindowPair, ...]:
        scenario = Scenario(
            "why",
            seed=self._seed,
            target="callable",
            workloads=(Workload(FUNCTION, ""),),
            phases=Phases(warm_up_s=0.5, drain_s=1.0),
        )
        plan = sampled_plan(scenario, index=self._played, label="why", in_flight=SLOTS, pairs=pairs)
        self._played += 1
        folder = self._folder / plan.folder_name
        folder.mkdir()
        servers = ServerAccess({}, connections=1, connection_timeout_s=1.0)
        taken = play_sampled(
            plan,
            folder=folder,
            python=Path(sys.executable),
            job=Job((Kind(FUNCTION, ""),), "", self._seed, "why", plan.index, servers),
            spy=self._spy,
            pairs=pairs,
            user_code=UserCode(python_path=str(PROJECT), variables=Variables({SLOWED: slowed})),
            first=first,
        )
        return tuple(taken)
