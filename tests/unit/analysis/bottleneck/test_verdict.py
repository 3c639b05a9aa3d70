"""Each rule and its borders, on values that no load was needed for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.bottleneck.verdict import EXPLAINS, judge
from perf_pipeline.metrics.types.cpu_use import HostCores, QuotaUse
from tests.unit.analysis.bottleneck.host import host

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.analysis.bottleneck.use import LevelUse

    Level = Callable[..., LevelUse]


def quota_of(cores: float, throttled_percent: float | None) -> HostCores:
    """Return four cores of which a quota leaves the run a part, all of which it uses."""
    quota = QuotaUse(cores, "cpu.max", throttled_percent, throttled_percent and 0.9)
    return HostCores(cores, cores, 0.0, 0.0, 0.0, seconds=20.0, quota=quota)


FULL = host(usable=4.0, idle=0.1, iowait=0.1, steal=0.0)
"""95 % of four cores."""

WAITS: dict[str, Any] = {"host": FULL, "worker_cores": (1.4, 1.4), "waiting_for_core": 8.0}
"""10.8 of 20 workflows run or wait for one of four cores, of which others took 0.75."""

WAITS_ONLY = {name: value for name, value in WAITS.items() if name != "host"}
LOCKED: dict[str, Any] = {
    "worker_cores": (0.97, 0.95),
    "host": host(usable=4.0, idle=1.9, iowait=0.0, steal=0.0),
}
FULL_POOL: dict[str, Any] = {
    "waits": {"pool": 0.8, "postgres": 0.2},
    "server": {"connections": 8.0, "active": 8.0},
}
SATURATED = {"cores": 2.6, "connections": 20.0, "limit": 20}
QUEUED: dict[str, Any] = {"at_once": 4, "waits": {"queued": 0.8, "runtime": 0.2}}
FSYNC: dict[str, Any] = {
    "waits": {"runtime": 1.0},
    "worker_io_mb_per_s": 60.0,
    "host": host(usable=4.0, idle=0.4, iowait=1.6, steal=0.0),
}

PLANTED: list[tuple[str, dict[str, Any], str]] = [
    ("interpreter_lock", LOCKED, "Each of the 2 workers used 0.95 cores or more"),
    ("cpu", WAITS, "All cores were busy"),
    (
        "cpu",
        {"host": FULL, "worker_cores": (0.6, 0.5), "waiting_for_core": 0.7},
        "Processes outside of this run used 2.45 cores. That is the load of others",
    ),
    ("cpu", {"worker_cores": (1.9, 1.8)}, "used 3.7 of 4 cores"),
    ("cpu", {"worker_cores": (0.25, 0.22), "cpu_limit_cores": 0.5}, "--cpu-limit-percent: 50"),
    (
        "cpu",
        {"host": quota_of(0.5, throttled_percent=92.0), "worker_cores": (0.2, 0.25)},
        "may use 0.5 cores (cpu.max): the kernel stopped it in 92 % of the periods",
    ),
    (
        "cpu",  # a kernel that does not count it
        {"host": quota_of(0.5, throttled_percent=None), "worker_cores": (0.2, 0.25)},
        "A greater quota is what would help",
    ),
    ("connection_pool", FULL_POOL, "one of the 8 connections to postgres"),
    ("runtime_queue", QUEUED, "executed 4 workflows at once, of 4"),
    (
        "server",
        {"host": FULL, "waits": {"postgres": 1.0}, "server": SATURATED, "waiting_for_core": 1.0},
        "postgres used 2.6 of 4 cores",
    ),
    (
        "server",
        {"waits": {"postgres": 1.0}, "server": {"waiting": 7.0, "active": 8.0}},
        "7 of 8 active sessions of postgres waited for a lock",
    ),
    (
        "server",
        {"waits": {"postgres": 0.9, "runtime": 0.1}, "server": {"executing": 17.0}},
        "17 sessions executed at once (by query time)",
    ),
    ("disk", FSYNC, "the workers read and wrote 60 MB/s"),
    ("disk", {"waits": {"runtime": 1.0}, "waiting_for_disk": 11.0}, "11 threads"),
    ("generator", {"in_flight": 9.0}, "Slots spent 55 % of the time"),
    (
        "generator",
        WAITS | {"harness_cores": 0.8},
        "The harness used 0.8 of 4 cores",
    ),
]


@pytest.mark.parametrize(("verdict", "values", "why"), PLANTED)
def test_each_cause_is_named_when_all_that_it_needs_was_seen(
    level: Level, verdict: str, values: dict[str, Any], why: str
) -> None:
    found = judge(level(**values))

    assert (found.verdict, why in found.why) == (verdict, True), found.why
    resting_on = [each for each in found.evidence if each.cause == found.evidence[0].cause]
    assert {each.holds for each in resting_on} == {True}


BORDERS: list[tuple[str, dict[str, Any]]] = [
    ("interpreter_lock", LOCKED | {"worker_cores": (0.97, 0.89)}),
    ("interpreter_lock", LOCKED | {"worker_cores": (0.97, 1.51)}),
    ("interpreter_lock", LOCKED | {"in_flight": 2.9, "wanted": 3, "waits": {"runtime": 1.0}}),
    ("interpreter_lock", LOCKED | {"host": host(4.0, 0.39, 1.6, 0.0)}),
    ("cpu", WAITS | {"host": host(4.0, 0.3, 0.11, 0.0)}),
    ("cpu", {"host": FULL, "waiting_for_core": 9.5}),
    ("cpu", WAITS | {"waiting_for_core": 0.27}),
    ("cpu", {"host": FULL, "worker_cores": (0.6, 0.5), "waiting_for_core": 0.69}),
    ("cpu", {"host": FULL, "worker_cores": (0.6, 0.39), "waiting_for_core": 3.0}),
    ("cpu", {"worker_cores": (1.8, 1.79)}),
    ("cpu", {"worker_cores": (0.25, 0.19), "cpu_limit_cores": 0.5}),
    ("connection_pool", FULL_POOL | {"waits": {"pool": 0.49, "postgres": 0.51}}),
    ("connection_pool", FULL_POOL | {"server": {"connections": 7.1}}),
    ("connection_pool", FULL_POOL | {"server": {"connections": 8.0, "cores": 2.1}}),
    ("runtime_queue", QUEUED | {"waits": {"queued": 0.49, "runtime": 0.51}}),
    ("runtime_queue", QUEUED | {"at_once": 5}),
    ("runtime_queue", QUEUED | {"worker_cores": (0.91, 0.5)}),
    ("runtime_queue", QUEUED | {"at_once": None}),
    ("server", {"host": FULL, "waits": {"postgres": 1.0}, "server": SATURATED | {"cores": 1.9}}),
    ("server", {"waits": {"postgres": 1.0}, "server": {"waiting": 3.9, "active": 8.0}}),
    ("server", {"waits": {"postgres": 0.49}, "server": {"executing": 17.0}}),
    ("server", {"waits": {"postgres": 0.9}, "server": {"executing": 8.9}}),
    ("disk", FSYNC | {"host": host(4.0, 0.4, 0.99, 0.0)}),
    ("disk", FSYNC | {"host": host(4.0, 1.7, 1.6, 0.0)}),
    ("disk", FSYNC | {"worker_io_mb_per_s": 0.99}),
    ("disk", {"waits": {"runtime": 1.0}, "waiting_for_disk": 9.9}),
    ("generator", {"in_flight": 10.1}),
    ("generator", WAITS | {"harness_cores": 0.39}),
    ("generator", WAITS | {"harness_cores": 0.8, "waiting_for_core": 0.27}),
    ("generator", WAITS | {"worker_cores": (1.2, 1.2), "harness_cores": 0.55}),
]


@pytest.mark.parametrize(("verdict", "values"), BORDERS)
def test_a_cause_is_not_named_when_one_thing_that_it_needs_falls_short(
    level: Level, verdict: str, values: dict[str, Any]
) -> None:
    """Just beyond each threshold."""
    assert judge(level(**values)).verdict != verdict


def test_nothing_used_up_is_unclear_and_says_what_time_went_to(level: Level) -> None:
    found = judge(level())

    assert found.verdict == "unclear"
    assert "17.59 of 20 workflows waited for something that nobody observed" in found.why
    assert "in the runtime, whose workers used 0.4 cores" in found.why


def test_the_nearest_cause_is_the_one_whose_weakest_need_falls_least_short(level: Level) -> None:
    """PostgreSQL has 45 % of the workflows (needs 50), the lock 0.2 cores (needs 0.9)."""
    half = {"waits": {"postgres": 0.45, "runtime": 0.55}, "server": {"executing": 9.0}}

    found = judge(level(**half))

    assert "Nearest is postgres: the time of its queries" in found.why
    assert "workflows waiting for postgres: 45 % (at least 50)" in found.why


def test_few_workflows_on_a_large_machine_are_not_asked_to_leave_all_its_cores_to_the_disk(
    level: Level,
) -> None:
    """4 workflows that only wait for a disk, on 64 cores."""
    large = host(usable=64.0, idle=60.0, iowait=3.6, steal=0.0)

    found = judge(level(**FSYNC | {"host": large, "in_flight": 4.0, "wanted": 4}))

    assert found.verdict == "disk"


def test_two_workers_on_two_cores_are_cpu_and_the_reader_learns_that_processes_would_not_help(
    level: Level,
) -> None:
    two_cores = host(usable=2.0, idle=0.05, iowait=0.0, steal=0.0)

    found = judge(level(worker_cores=(0.95, 0.95), host=two_cores))

    assert found.verdict == "cpu"
    assert "more worker processes would not help" in found.why


def test_two_causes_that_do_not_explain_each_other_are_unclear_and_both_are_named(
    level: Level,
) -> None:
    found = judge(level(**FSYNC | {"cpu_limit_cores": 0.4}))

    assert found.verdict == "unclear"
    assert "disk: the workers" in found.why
    assert "limit of the scenario" in found.why


def test_no_wait_is_the_bottleneck_of_a_worker_that_is_busy_for_a_whole_core(level: Level) -> None:
    """Its threads would wait shorter for the pool, and then longer for the interpreter."""
    wanting = {"waits": {"pool": 0.6, "runtime": 0.4}}

    assert judge(level(**FULL_POOL | LOCKED)).verdict == "unclear"  # no workflow ran
    assert judge(level(**FULL_POOL | LOCKED | wanting)).verdict == "interpreter_lock"


def test_workflows_that_the_runtime_queued_want_to_run_where_its_interpreter_is_used_up(
    level: Level,
) -> None:
    """One executes in each worker, nine are queued: a longer queue or more threads gain nothing."""
    values = {"at_once": 2, "waits": {"queued": 0.9, "runtime": 0.1}}

    assert judge(level(**LOCKED | values)).verdict == "interpreter_lock"


def test_slots_that_are_mostly_between_workflows_explain_a_used_up_interpreter(
    level: Level,
) -> None:
    """Half of what the interpreter does then is not the target's."""
    found = judge(level(**LOCKED | {"in_flight": 9.0}))

    assert found.verdict == "generator"


def test_the_pool_that_is_used_most_is_the_one_that_workflows_wait_for(level: Level) -> None:
    use = level(waits={"pool": 0.8, "runtime": 0.2})
    half, full = (
        replace(use.servers[0], name=name, connections=connections)
        for name, connections in (("postgres", 4.0), ("mysql", 8.0))
    )

    found = judge(replace(use, servers=(half, full)))

    assert found.verdict == "connection_pool"
    assert "connections to mysql" in found.why


@pytest.mark.parametrize(
    ("behind", "verdict"),
    [
        ({"server": {"connections": 8.0, "active": 8.0, "waiting": 7.0}}, "server"),
        (
            {"host": FULL, "server": {"connections": 8.0, "active": 8.0, "cores": 2.6}},
            "server",
        ),
        (
            {
                "host": host(4.0, 0.4, 1.6, 0.0),
                "server": {"connections": 8.0, "active": 8.0, "io_mb_per_s": 9.0},
            },
            "disk",
        ),
        ({"host": FULL, "waiting_for_core": 3.0}, "cpu"),
    ],
)
def test_a_pool_that_threads_wait_for_because_of_what_lies_behind_it_is_not_the_bottleneck(
    level: Level, behind: dict[str, Any], verdict: str
) -> None:
    assert judge(level(**FULL_POOL | behind)).verdict == verdict


def test_a_queue_inside_the_runtime_is_judged_by_what_the_executing_workflows_do(
    level: Level,
) -> None:
    """4 of 20 execute; all 4 wait for a connection of a full pool of 2."""
    queued = {"at_once": 4, "waits": {"queued": 0.8, "pool": 0.15, "postgres": 0.05}}
    server = {"connections": 2.0, "limit": 2, "active": 2.0}

    assert judge(level(**queued, server=server)).verdict == "connection_pool"
    assert judge(level(**queued)).verdict == "runtime_queue"


def test_what_was_not_measured_is_named_and_nothing_is_concluded_without_it(level: Level) -> None:
    found = judge(level(**FULL_POOL | {"server": {"connections": None}}))

    assert found.verdict == "unclear"
    assert "Not measured" in found.why
    assert "connections to the servers" in found.why


def test_a_cause_that_might_hide_behind_a_gap_keeps_the_verdict_back(level: Level) -> None:
    """The pool is full, but nobody knows whether the server's sessions wait for locks."""
    full = FULL_POOL | {"server": {"connections": 8.0, "active": 8.0, "waiting": None}}

    found = judge(level(**full))

    assert found.verdict == "unclear"
    assert "sessions of postgres waiting for a lock" in found.why


def test_without_any_measurement_of_the_machine_it_is_unclear(level: Level) -> None:
    nothing = {"host": None, "worker_cores": None, "harness_cores": None, "waits": None}

    found = judge(level(**nothing))

    assert found.verdict == "unclear"
    assert "Not measured: usable cores that were busy" in found.why
    assert "and 8 more" in found.why


def test_redis_fills_one_core_and_cannot_use_another(level: Level) -> None:
    redis = {"name": "redis", "busiest_cores": 0.96, "cores": 0.96}
    values = {"waits": {"redis": 0.8, "runtime": 0.2}, "server": redis}

    assert judge(level(**values)).verdict == "server"
    redis["busiest_cores"] = 0.85
    assert judge(level(**values)).verdict == "unclear"


def test_explanations_never_go_in_a_circle() -> None:
    """Or two causes that hold could explain each other away."""
    for cause, explained in EXPLAINS.items():
        for other in explained:
            assert cause not in EXPLAINS.get(other, frozenset())


def test_every_value_stands_beside_its_threshold(level: Level) -> None:
    found = judge(replace(level(**LOCKED)))

    deciding = [each for each in found.evidence if each.cause]
    assert all(each.minimum is not None or each.maximum is not None for each in deciding)
    row = next(e for e in deciding if e.what == "cores used by the least busy worker")
    assert (row.value, row.unit, row.minimum, row.holds) == (0.95, "cores", 0.9, True)


def test_a_quota_that_is_rarely_enforced_is_not_the_bottleneck(level: Level) -> None:
    roomy = replace(FULL, quota=QuotaUse(4.0, "cpu.max", 3.0, 0.01))
    found = judge(level(host=roomy, **WAITS_ONLY))

    assert "quota" not in found.why


def test_requests_wait_for_the_answer_of_their_server(level: Level) -> None:
    """What a function waits for is not observed; what a request waits for is no riddle."""
    found = judge(level(sends_requests=True))
    assert "requests waited for the answer of the server; the workers" in found.why
    assert "nobody observed" not in found.why
