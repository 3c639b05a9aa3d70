"""Samples of the monitor with a known truth, and what becomes of gaps in them."""

from __future__ import annotations

from typing import Any

import pytest

from perf_pipeline.analysis.bottleneck.rates import level_use
from perf_pipeline.analysis.bottleneck.use import LevelUse
from perf_pipeline.metrics.resources.counters import rates_by_process
from perf_pipeline.metrics.resources.host_cores import cpu_of_others, host_cores
from perf_pipeline.metrics.types.records import InFlight

SECOND = 1_000_000_000


def _process(pid: int, cpu_s: float | None, **more: Any) -> dict[str, Any]:
    still = {"run_delay_s": 0.0, "io_delay_s": None, "read_bytes": 0, "write_bytes": 0}
    return {"pid": pid, "cpu_s": cpu_s, **still, **more}


def _sample(at_s: float, **changes: Any) -> dict[str, Any]:
    """Two workers that use 0.9 and 0.5 cores, PostgreSQL with two processes, four cores."""
    t = at_s
    return {
        "at_ns": int(at_s * SECOND),
        "workers": [
            _process(11, 0.9 * t, run_delay_s=0.2 * t, write_bytes=1_000_000 * t),
            _process(12, 0.5 * t, run_delay_s=0.1 * t, read_bytes=2_000_000 * t),
        ],
        "harness": [_process(1, 0.05 * t)],
        "servers": [
            _process(21, 0.1 * t, service="postgres"),
            _process(22, 0.7 * t, service="postgres"),
            _process(31, 0.3 * t, service="redis"),
        ],
        "host": {
            "busy_s": 2.6 * t,
            "iowait_s": 0.4 * t,
            "steal_s": 0.1 * t,
            "idle_s": 0.9 * t,
            "cores_usable": 4,
        },
        "connections": {
            "postgres": {"total": 8, "active": 6, "idle": 2, "waiting": 3},
            "redis": {"total": 4, "active": None, "idle": None, "waiting": None},
        },
        "counters": {"postgres": {"query_time_s": 5.0 * t}, "redis": {"query_time_s": None}},
        "problems": {},
        **changes,
    }


def _use(
    samples: list[dict[str, Any]], wait_samples: int = 40, waits: dict[str, float] | None = None
) -> LevelUse:
    waits = waits or {"runtime": 0.25, "postgres": 0.75}
    host = host_cores(samples)
    return level_use(
        samples,
        InFlight(10, 10.0, 10, waits, wait_samples),
        mean_in_flight=9.8,
        at_once=None,
        workers=2,
        limits={"postgres": 8, "redis": 8},
        host=host,
        others_cores=cpu_of_others(samples, host, ("postgres", "redis")).cores,
        cpu_limit_cores=None,
    )


SAMPLES = [_sample(at_s) for at_s in (100.0, 104.0, 110.0)]


def test_rates_are_those_that_were_planted() -> None:
    use = _use(SAMPLES)

    assert use.worker_cores == pytest.approx((0.9, 0.5))
    assert use.waiting_for_core == pytest.approx(0.3)
    assert use.worker_io_mb_per_s == pytest.approx(3.0)
    assert use.harness_cores == pytest.approx(0.05)
    assert use.others_cores == pytest.approx(4 - 1.3 - 1.4 - 0.05 - 1.1 - 0.1)
    assert use.host is not None
    assert use.busy_ratio == pytest.approx((2.6 + 0.1) / 4)
    assert use.host.iowait == pytest.approx(0.4)


def test_each_server_has_its_own_processes_and_what_it_says_of_itself() -> None:
    postgres, redis = _use(SAMPLES).servers

    assert (postgres.cores, postgres.busiest_cores) == pytest.approx((0.8, 0.7))
    assert (postgres.connections, postgres.active, postgres.waiting) == (8, 6, 3)
    assert postgres.executing == pytest.approx(5.0)
    assert postgres.executing_by == "query time"
    assert (postgres.pool_use, postgres.lock_ratio) == (1.0, 0.5)
    assert redis.cores == pytest.approx(0.3)
    assert (redis.executing, redis.lock_ratio) == (None, None)


def test_counters_that_a_server_adds_up_late_are_not_asked_about_a_few_seconds() -> None:
    """5 sessions by the counter and 6 by those that were active; below 10 s the latter counts."""
    postgres = _use([_sample(at_s) for at_s in (100.0, 105.0, 109.9)]).servers[0]

    assert (postgres.executing, postgres.executing_by) == (6, "active sessions")


def test_without_query_time_the_active_sessions_say_how_many_execute() -> None:
    postgres = _use([_sample(t, counters={}) for t in (100.0, 101.0)]).servers[0]

    assert (postgres.executing, postgres.executing_by) == (6, "active sessions")


def test_a_process_that_began_between_two_samples_counts_with_all_that_it_used() -> None:
    """A connection of PostgreSQL is a process; this one used 0.6 s in the second that it lived."""
    later = _sample(101.0)
    later["servers"].append(_process(23, 0.6, service="postgres"))

    assert _use([_sample(100.0), later]).servers[0].cores == pytest.approx(0.8 + 0.6)


def test_a_process_that_could_not_be_read_before_is_not_taken_for_one_that_began() -> None:
    """It would count with all that it used since its start, 10.1 s in one second.

    Steps with a sample that lacks it are left out; in the one that is left it used 0.1 cores.
    """
    before = _sample(101.0, problems={"servers 23": "access denied"})
    samples = [_sample(100.0), before, _sample(102.0), _sample(103.0)]
    for sample in samples[2:]:
        sample["servers"].append(_process(23, 0.1 * sample["at_ns"] / SECOND, service="postgres"))

    assert _use(samples).servers[0].cores == pytest.approx(0.8 + 0.1)


def test_a_missing_value_leaves_out_its_pair_of_samples_and_is_no_zero() -> None:
    broken = _sample(101.0)
    broken["workers"][0]["cpu_s"] = None
    whole = [_sample(100.0), _sample(100.5), broken, _sample(102.0)]

    assert _use(whole).worker_cores == pytest.approx((0.9, 0.5))
    assert _use([broken, _sample(102.0)]).worker_cores is None
    assert rates_by_process([broken], "workers", "cpu_s") is None


def test_fewer_processes_than_workers_are_not_all_workers() -> None:
    samples = [_sample(t) for t in (100.0, 101.0)]
    for sample in samples:
        del sample["workers"][1]

    assert _use(samples).worker_cores is None


def test_one_sample_or_lines_without_a_counter_give_gaps_and_no_error() -> None:
    one = _use(SAMPLES[:1])
    assert (one.worker_cores, one.host, one.servers[0].cores) == (None, None, None)
    bare = [
        {
            "at_ns": t * SECOND,
            "workers": [{"pid": 11, "cpu_s": 0.9 * t}],
            "harness": [],
            "servers": [],
            "connections": {},
            "problems": {},
        }
        for t in (100, 101)
    ]
    use = _use(bare)
    assert (use.host, use.waiting_for_core, use.harness_cores) == (None, None, None)
    assert use.servers[0].connections is None


def test_on_some_cores_of_a_machine_what_this_run_leaves_of_them_is_idle() -> None:
    """Two of four cores may be used; the run takes 2.55 of them, however idle the others are."""
    host = {"busy_s": 0.0, "iowait_s": 0.0, "steal_s": 0.0, "idle_s": 0.0, "cores_usable": 3}
    first = _sample(100.0, host=host)
    last = _sample(101.0, host=host | {"busy_s": 2.6, "idle_s": 1.4})

    use = _use([first, last])

    assert use.host is not None
    assert use.host.usable == 3
    assert use.host.idle == pytest.approx(3 - 1.4 - 0.05 - 1.1)


def test_too_few_thread_samples_are_no_shares() -> None:
    assert _use(SAMPLES, wait_samples=9).share("runtime") is None
    assert _use(SAMPLES, wait_samples=10).share("runtime") == 0.25


@pytest.mark.parametrize(("unknown", "known"), [(0.1, 0.9), (0.11, None)])
def test_shares_are_not_known_when_the_target_cannot_tell_what_its_workflows_do(
    unknown: float, known: float | None
) -> None:
    use = _use(SAMPLES, waits={"runtime": 0.9, "unknown": unknown})

    assert use.share("runtime") == known


def test_shares_of_executing_workflows_leave_out_those_that_the_runtime_queued() -> None:
    use = LevelUse(
        **{
            **_use(SAMPLES).__dict__,
            "waits": {"queued": 0.75, "postgres": 0.2, "runtime": 0.05},
        }
    )

    assert use.share_of_executing("postgres") == pytest.approx(0.8)
