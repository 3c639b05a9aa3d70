"""When the CPU is what limits a level, and whose it is: known figures, some of them measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.bottleneck.cores import CPU_LIMIT, CPU_OF_OTHERS
from perf_pipeline.analysis.bottleneck.verdict import judge
from tests.unit.analysis.bottleneck.host import host

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.analysis.bottleneck.use import LevelUse

    Level = Callable[..., LevelUse]

FULL = host(usable=4.0, idle=0.1, iowait=0.1, steal=0.0)
"""95 % of four cores."""

WAITS: dict[str, Any] = {"host": FULL, "worker_cores": (1.4, 1.4), "waiting_for_core": 8.0}
"""10.8 of 20 workflows run or wait for one of four cores, of which others took 0.75."""

TAKEN: dict[str, Any] = {
    "in_flight": 50.0,
    "wanted": 50,
    "waits": {"runtime": 1.0},
    "worker_cores": (0.025, 0.028),
    "waiting_for_core": 0.635,
    "harness_cores": 0.008,
    "host": host(usable=1.99, idle=0.175, iowait=0.008, steal=0.0),
    "server": {"cores": 0.0},
}
"""Measured: 50 workflows sleep 10 ms on two cores of which others took 1.75; 4,910/s of the 5,000/s
that sleeping alone allows."""


@pytest.mark.parametrize("waiting_for_core", [0.635, 1.5, 5.0])
def test_a_sleep_is_not_called_cpu_because_others_keep_the_cores_busy(
    level: Level, waiting_for_core: float
) -> None:
    """Woken threads wait for a core for 1.3, 3 or 10 % of their time."""
    found = judge(level(**TAKEN | {"waiting_for_core": waiting_for_core}))

    assert found.verdict == "unclear"
    sleeping = 50 - 0.053 - waiting_for_core
    assert f"{sleeping:.4g}"[:4] in found.why
    assert "of 50 workflows waited for something that nobody observed (a sleep" in found.why
    assert "Processes outside of this run used 1.75 cores" in found.why
    assert "CPU" not in found.why
    row = next(e for e in found.evidence if e.what.endswith("running or waiting for a core"))
    assert (row.value, row.minimum) == (0.053 + waiting_for_core, 25.0)


@pytest.mark.parametrize(
    "values",
    [
        TAKEN | {"worker_cores": (0.1, 0.1), "waiting_for_core": 30.0},
        TAKEN | {"workers": 1, "worker_cores": (0.51,), "waiting_for_core": 0.6},
        {"host": FULL, "waiting_for_core": 10.0},
    ],
)
def test_cores_that_others_took_are_said_to_be_others_and_not_the_workers(
    level: Level, values: dict[str, Any]
) -> None:
    found = judge(level(**values))

    assert (found.verdict, found.evidence[0].cause) == ("cpu", CPU_OF_OTHERS)
    assert "the load of others, not of the workers" in found.why


def test_cores_that_the_workers_would_fill_without_others_are_the_workers_own(
    level: Level,
) -> None:
    """They used 2.8 of 4 cores and wanted 10.8; the 0.75 of others would not have done."""
    found = judge(level(**WAITS))

    assert found.evidence[0].cause == "CPU: the workers wait for a core"
    assert "Processes outside of this run used 0.75 cores" in found.why


def test_stolen_cores_are_not_said_to_be_used_by_processes(level: Level) -> None:
    stolen = host(usable=4.0, idle=0.1, iowait=0.1, steal=2.0)

    found = judge(level(host=stolen, waiting_for_core=10.0))

    assert found.evidence[0].cause == CPU_OF_OTHERS
    assert "outside of this run used 1.15 cores. The machine below took 2 cores." in found.why


def test_a_wait_for_a_core_is_not_known_to_be_small_where_nobody_saw_what_threads_do(
    level: Level,
) -> None:
    """3.4 threads of 20: of all workflows a sixth, of those that are past a pool maybe all."""
    found = judge(level(host=FULL, waiting_for_core=3.0, waits=None))

    assert found.verdict == "unclear"
    row = next(e for e in found.evidence if e.what.endswith("running or waiting for a core"))
    assert (row.value, row.minimum, row.holds) == (3.4, None, None)


def test_the_runs_own_limit_on_cpu_is_named_before_the_cores_and_the_harness(
    level: Level,
) -> None:
    """Threads that the limit stops wait for a core as well, as the kernel counts."""
    limited = {"cpu_limit_cores": 3.0, "harness_cores": 0.8}

    found = judge(level(**WAITS | limited))

    assert (found.verdict, found.evidence[0].cause) == ("cpu", CPU_LIMIT)
    assert "2.8 of the 3 cores" in found.why


def test_workers_short_of_their_limit_that_wait_for_cores_are_told_of_it(level: Level) -> None:
    found = judge(level(**WAITS | {"cpu_limit_cores": 3.5}))

    assert found.evidence[0].cause == "CPU: the workers wait for a core"
    assert "own limit on CPU leaves them 3.5" in found.why


def test_a_wait_that_may_be_the_limits_is_not_blamed_on_others(level: Level) -> None:
    """Others took 2.4 of 4 cores, and the limit stopped threads: 1.1 of 1.3 cores were used."""
    values = {"host": FULL, "worker_cores": (0.6, 0.5), "waiting_for_core": 0.7}

    found = judge(level(**values, cpu_limit_cores=1.3))

    assert found.evidence[0].cause == "CPU: the workers wait for a core"
    assert "leaves them 1.3. Processes outside of this run used 2.45 cores." in found.why


def test_a_limit_that_is_more_than_the_machine_has_is_not_what_limits(level: Level) -> None:
    found = judge(level(worker_cores=(1.9, 1.8), cpu_limit_cores=4.0))

    assert (found.verdict, found.evidence[0].cause) == ("cpu", "CPU: the workers fill the cores")


def test_free_slots_of_an_open_level_are_not_the_generators(level: Level) -> None:
    """Nothing arrived for them."""
    assert judge(level(in_flight=9.0, slots=20)).verdict == "unclear"


def test_an_open_level_whose_slots_are_all_in_use_says_so(level: Level) -> None:
    full, half = (judge(level(slots=slots)).why for slots in (20, 40))

    assert "20 of 20 slots were in use on average, so arrivals waited" in full
    assert "slots" not in half


def test_a_harness_that_takes_less_than_others_is_not_named_for_their_cores(level: Level) -> None:
    """0.4 of 4 cores, and 0.7 those of others; and the other way round."""
    others = WAITS | {"worker_cores": (1.25, 1.2), "harness_cores": 0.4}
    own = WAITS | {"worker_cores": (1.4, 1.4), "harness_cores": 0.4}

    assert judge(level(**others)).verdict == "cpu"
    assert judge(level(**own)).verdict == "generator"


def test_a_harness_does_not_hold_up_workflows_that_wait_little_for_a_core(level: Level) -> None:
    """It takes 1.75 of two cores and others none: sleeping workflows lose 1.3 % to it."""
    alone = TAKEN | {"harness_cores": 1.75}

    found = judge(level(**alone))

    assert found.verdict == "unclear"
    assert "49.31 of 50 workflows waited for something" in found.why


def test_one_interpreter_whose_lock_waits_for_a_core_is_held_by_others_that_took_less(
    level: Level,
) -> None:
    """It used 0.8 cores and wanted 1.1; without the 0.63 of others it would have had them."""
    two = host(usable=2.0, idle=0.05, iowait=0.0, steal=0.0)
    values = {"workers": 1, "worker_cores": (0.8,), "waiting_for_core": 0.3, "harness_cores": 0.02}

    found = judge(level(**values, host=two, server={"cores": 0.5}))

    assert found.evidence[0].cause == CPU_OF_OTHERS
    assert "outside of this run used 0.63 cores" in found.why


def test_a_handful_that_waited_for_something_unseen_is_not_where_the_time_went(
    level: Level,
) -> None:
    """1.2 of 20 were in the runtime, whose workers used 0.4 cores."""
    found = judge(level(waits={"runtime": 0.06, "pool": 0.47, "postgres": 0.47}))

    assert found.verdict == "unclear"
    assert "nobody observed" not in found.why
