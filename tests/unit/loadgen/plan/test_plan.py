"""The plan: the same seed gives the same load, and the load is exactly what was asked for."""

from __future__ import annotations

import itertools
import random
from array import array
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.config.scenario.scenario import (
    Arm,
    ConnectionPools,
    Phases,
    Scenario,
    Stop,
    WorkerLimits,
    Workload,
)
from perf_pipeline.config.scenario.stages import Stage
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.loadgen.plan.level_plan import little_endian
from perf_pipeline.loadgen.plan.plan import (
    KINDS_CYCLE,
    even_ramp,
    mixed_kinds,
    plan_levels,
    stages_after,
)
from perf_pipeline.loadgen.plan.stage_plan import StagePlan

SCENARIO = Scenario(
    "baseline",
    seed=7,
    concurrency=(100, 500),
    workloads=(Workload("transformation", "medium", 1), Workload("analytics", "complex", 2)),
    arms=(Arm("lean", "kailash", "lean", 100, 8.0), Arm("control", "control", "lean", 100, 8.0)),
)


def _hashes(scenario: Scenario, processes: int = 2) -> list[str]:
    return [plan.sha256() for plan in plan_levels(scenario, processes)]


def test_the_same_seed_gives_the_same_plan_on_every_machine_and_version() -> None:
    """The literal hash was computed once: a changed one means that old runs cannot be repeated."""
    assert _hashes(SCENARIO) == _hashes(SCENARIO)
    assert _hashes(SCENARIO)[0] == (
        "1706ee9eaa1efaef6f6684f0c070aca9182e5dee1ef6ed4e6f9ef8093a7f0b21"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"target": "control"},
        {"nodes": "lean"},
        {"concurrency": (101,)},
        {"workloads": (Workload("transformation", "medium"),)},
        {"phases": Phases(ramp_up_s=6.0)},
        {"phases": Phases(steady_s=21.0)},
        {"phases": Phases(steady_workflows=1)},
        {"phases": Phases(total_workflows=1)},
        {"target": "kailash+pandas"},
        {"settings": {"enable_monitoring": True}},
        {"limits": WorkerLimits(memory_mb=512)},
        {"limits": WorkerLimits(cpu_percent=50)},
        {"connections": ConnectionPools(max_db_connections=49)},
        {"connections": ConnectionPools(connection_timeout_s=29.0)},
        {"servers": ("postgres",)},
        {"stop": Stop(error_ratio=0.5)},
        {"stop": Stop(memory_free_mb=100)},
        {"slos": (Slo("p99_s", 1.0, abort=True),)},
        {"slos": (Slo("p99_s", 1.0, level="100", abort=True),)},
        {"log_detail": True},
    ],
)
def test_whatever_decides_the_load_changes_the_hash(change: dict[str, object]) -> None:
    assert _hashes(replace(SCENARIO, **change))[0] != _hashes(SCENARIO)[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "slo",
    [Slo("p99_s", 1.0), Slo("p99_s", 1.0, level="500", abort=True)],
    ids=["it is judged after the run", "it is about another level"],
)
def test_an_objective_that_cannot_end_a_level_does_not_change_its_hash(slo: Slo) -> None:
    assert _hashes(replace(SCENARIO, slos=(slo,)))[0] == _hashes(SCENARIO)[0]


@pytest.mark.parametrize(
    "change",
    [{"interpreter": "/usr/bin/python3"}, {"python_path": "/home/a"}, {"sample_every_s": 2.0}],
)
def test_a_path_of_one_machine_is_in_no_hash_nor_how_often_we_look(
    change: dict[str, object],
) -> None:
    """What the paths lead to, versions and locks, is in the manifest."""
    assert _hashes(replace(SCENARIO, **change)) == _hashes(SCENARIO)  # type: ignore[arg-type]


def test_another_seed_is_another_plan_even_with_one_kind_of_workflow() -> None:
    """The order of one kind is always the same, but the seed decides the workflows' data too."""
    one = replace(SCENARIO, workloads=(Workload("transformation", "simple"),))
    other = replace(one, workloads=(Workload("analytics", "simple"),))

    assert len({_hashes(s)[0] for s in (one, replace(one, seed=8), other)}) == 3


def test_levels_and_repeats_of_one_run_have_their_own_plans() -> None:
    plans = plan_levels(replace(SCENARIO, repeats=2), 2)

    assert [(p.index, p.label, p.role, p.repeat) for p in plans] == [
        (0, "100", "level", 0),
        (1, "500", "level", 0),
        (2, "lean", "arm", 0),
        (3, "control", "arm", 0),
        (4, "100", "level", 1),
        (5, "500", "level", 1),
    ]
    assert len({plan.sha256() for plan in plans}) == 6
    assert len({plan.kinds.tobytes() for plan in plans}) == 6
    assert [plan.folder_name for plan in plans][:3] == ["00-100", "01-500", "02-lean"]
    assert [(p.target, p.nodes, p.phases.steady_s) for p in plans[2:4]] == [
        ("kailash", "lean", 8.0),
        ("control", "lean", 8.0),
    ]


def test_every_repeat_has_its_own_order_that_the_seed_decides() -> None:
    """Five levels, eight repeats: each has all levels, arms stay after the first."""
    levels = (10, 20, 30, 40, 50)
    shuffled = replace(SCENARIO, concurrency=levels, repeats=8, order="shuffled")

    def orders(scenario: Scenario) -> list[tuple[int, ...]]:
        plans = [plan for plan in plan_levels(scenario, 2) if plan.role == "level"]
        return [tuple(p.concurrency for p in plans if p.repeat == n) for n in range(8)]

    assert {tuple(sorted(order)) for order in orders(shuffled)} == {levels}
    assert len(set(orders(shuffled))) >= 6
    assert orders(shuffled) == orders(replace(shuffled, phases=Phases(steady_s=1.0)))
    assert orders(shuffled) != orders(replace(shuffled, seed=8))
    assert set(orders(replace(shuffled, order="as_written"))) == {levels}
    assert [p.role for p in plan_levels(shuffled, 2)][5:7] == ["arm", "arm"]


def test_another_order_is_another_plan_on_every_machine() -> None:
    """The first order was drawn once: a changed one means that old runs cannot be repeated."""
    shuffled = replace(SCENARIO, concurrency=(10, 20, 30, 40, 50), order="shuffled")
    plans = plan_levels(shuffled, 2)
    written = plan_levels(replace(shuffled, order="as_written"), 2)

    assert [plan.concurrency for plan in plans[:5]] == [50, 40, 20, 30, 10]
    assert {p.sha256() for p in plans[:5]} & {p.sha256() for p in written[:5]} == set()


def test_a_level_keeps_its_name_and_the_name_decides_nothing() -> None:
    named = plan_levels(replace(SCENARIO, level_names=("calm", "busy"), repeats=2), 2)

    assert [plan.title for plan in named] == ["calm", "busy", "", "", "calm", "busy"]
    assert [plan.sha256() for plan in named][:2] == _hashes(SCENARIO)[:2]


def test_what_comes_after_a_level_does_not_change_its_hash() -> None:
    phases = replace(SCENARIO.phases, cooldown_s=7.0)

    assert _hashes(replace(SCENARIO, phases=phases)) == _hashes(SCENARIO)


def test_a_server_that_is_left_out_changes_the_hash_of_what_would_write_there() -> None:
    """And of nothing else: the other kind has nothing to do with it."""
    writes = replace(SCENARIO, workloads=(Workload("analytics", "complex"),))
    reads = replace(SCENARIO, workloads=(Workload("analytics", "medium"),))
    with_all, without = plan_levels(writes, 2)[0], plan_levels(writes, 2, ("mongodb",))[0]

    assert (with_all.without, without.without) == (((),), (("mongodb",),))
    assert with_all.sha256() != without.sha256()
    assert plan_levels(reads, 2, ("mongodb",))[0].sha256() == plan_levels(reads, 2)[0].sha256()


def test_settings_that_are_not_given_have_their_defaults_in_the_plan() -> None:
    settings = plan_levels(SCENARIO, 2)[0].settings

    assert settings["enable_monitoring"] is False


def test_a_level_has_at_most_one_process_a_slot() -> None:
    plans = plan_levels(replace(SCENARIO, concurrency=(1, 3, 50), arms=()), 4)

    assert [plan.processes for plan in plans] == [1, 3, 4]


_WEIGHTS = st.lists(st.floats(0.001, 1000), min_size=1, max_size=8)


@given(_WEIGHTS, st.integers(0, 2**32))
def test_every_kind_has_its_exact_share_of_the_cycle(weights: list[float], seed: int) -> None:
    """Within one of the share, together exactly the cycle; largest remainders round up."""
    workloads = tuple(Workload("transformation", "simple", weight) for weight in weights)

    kinds = mixed_kinds(workloads, random.Random(seed))

    counts = Counter(kinds)
    assert len(kinds) == KINDS_CYCLE
    exact = [weight / sum(weights) * KINDS_CYCLE for weight in weights]
    for index, share in enumerate(exact):
        assert abs(counts[index] - share) < 1 + 1e-6
    remainders = [(share % 1, counts[i] > share) for i, share in enumerate(exact)]
    down = [remainder for remainder, rounded_up in remainders if not rounded_up]
    up = [remainder for remainder, rounded_up in remainders if rounded_up]
    assert not up or not down or min(up) >= max(r for r in down if r < 1 - 1e-6) - 1e-6


def test_shares_are_rounded_by_largest_remainder() -> None:
    """Of 1000, 2:2:2:1 is 285.71 three times and 142.86; three are left over, 142.86 gets one."""
    thirds = tuple(Workload("transformation", "simple", 1) for _ in range(3))
    sevenths = tuple(Workload("transformation", "simple", w) for w in (2, 2, 2, 1))

    assert sorted(Counter(mixed_kinds(thirds, random.Random(1))).values()) == [333, 333, 334]
    assert Counter(mixed_kinds(sevenths, random.Random(1))) == {0: 286, 1: 286, 2: 285, 3: 143}


def test_kinds_are_mixed_not_in_blocks() -> None:
    """Of 1000 in random order with two equal kinds about 500 neighbours differ (sd about 16)."""
    two = (Workload("transformation", "simple"), Workload("analytics", "simple"))

    kinds = mixed_kinds(two, random.Random(1))

    assert 400 < sum(a != b for a, b in itertools.pairwise(kinds)) < 600


@given(st.integers(1, 300), st.integers(1, 40), st.floats(0, 100))
def test_the_workers_slots_partition_the_ramp(slots: int, processes: int, ramp_s: float) -> None:
    scenario = Scenario("x", concurrency=(slots,), phases=Phases(ramp_up_s=ramp_s))
    plan = plan_levels(scenario, processes)[0]

    shares = [plan.slots_of(worker) for worker in range(plan.processes)]

    assert sorted(itertools.chain(*shares)) == list(plan.ramp_ns)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert min(map(len, shares)) >= 1


def test_numbers_by_stride_partition_the_naturals() -> None:
    """As the worker takes them: count(worker, workers)."""
    workers = 7
    taken = [list(itertools.islice(itertools.count(w, workers), 100)) for w in range(workers)]

    assert sorted(itertools.chain(*taken)) == list(range(700))


@given(st.integers(1, 3000), st.floats(0, 600))
def test_slots_start_evenly_spread_over_the_ramp(slots: int, ramp_s: float) -> None:
    ramp_ns = even_ramp(slots, ramp_s)

    step_ns = ramp_s * 1e9 / slots
    assert len(ramp_ns) == slots
    assert ramp_ns[0] == 0
    assert ramp_ns[-1] <= ramp_s * 1e9
    assert all(abs(at_ns - slot * step_ns) <= 1.5 for slot, at_ns in enumerate(ramp_ns))


def test_integers_are_little_endian_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    words = array("q", [1, 256])
    assert little_endian(words) == bytes([1, *[0] * 7, 0, 1, *[0] * 6])
    monkeypatch.setattr("sys.byteorder", "big")
    assert little_endian(words) == bytes([*[0] * 7, 1, *[0] * 6, 1, 0])
    assert list(words) == [1, 256]


def test_stages_are_levels_of_the_same_workers_that_begin_where_the_last_one_ended() -> None:
    """10, then 50 over 4 s, then 0 over 2 s: two levels, 50 slots, and the hash has the path."""
    stages = (Stage("low", 10), Stage("high", 50, 7.0, ramp_s=4.0), Stage("end", 0, ramp_s=2.0))
    scenario = replace(SCENARIO, concurrency=(5,), arms=(), stages=stages)

    alone, low, high = plan_levels(scenario, 16)
    assert alone.stage is None
    assert low.stage == StagePlan(1, "01-low", before=0, slots=50)
    assert high.stage == StagePlan(2, "01-low", before=10, slots=50, ramp_down_s=2.0)
    assert (low.concurrency, high.concurrency) == (10, 50)
    assert (low.phases.steady_s, high.phases.steady_s) == (scenario.phases.steady_s, 7.0)
    assert high.phases.ramp_up_s == 4.0
    assert (low.processes, high.processes) == (16, 16)
    assert [len(plan.ramp_ns) for plan in (low, high)] == [50, 50]
    assert stages_after(low, [alone, low, high]) == (high,)
    assert stages_after(alone, [alone, low, high]) == ()
    other = replace(scenario, stages=(replace(stages[0], concurrency=11), *stages[1:]))
    assert plan_levels(other, 16)[2].sha256() != high.sha256()
