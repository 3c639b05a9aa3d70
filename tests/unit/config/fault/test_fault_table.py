"""Fault windows in a scenario file and in flags: what they may say, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.fault.fault_table import setting_problems
from perf_pipeline.config.fault.fault_window import FaultWindow, windows_of
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.plan.plan import plan_levels

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

HEAD = """
target = "control"
concurrency = [10]

[[workload]]
family = "analytics"
complexity = "simple"

[[arrivals]]
label = "calm"
schedule = "poisson"
rate = 10
"""
LOCKED = f"""{HEAD}
[[fault]]
type = "database_timeout"
server = "postgres"
at = "5s"
duration = 3
"""
SLOW_PATH = """
[[fault]]
type = "network_latency"
server = "postgres"
at = 10
duration = "2s"
level = "calm"
"""
SLOW = f"""{LOCKED}
{SLOW_PATH}settings = {{ latency_ms = 100 }}
"""


def _problems(
    text: str, machine: MachineLimits, overrides: Overrides | None = None
) -> tuple[str, ...]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "faulty", machine, overrides, folder=Path("/"))
    return tuple(caught.value.problems)


def test_a_file_says_what_fails_where_when_and_how_hard(machine: MachineLimits) -> None:
    scenario = parse_scenario(SLOW, "faulty", machine)

    locked, slow = scenario.faults
    assert locked == FaultWindow("database_timeout", "postgres", 5.0, 3.0)
    assert slow == FaultWindow(
        "network_latency", "postgres", 10.0, 2.0, {"latency_ms": 100.0}, "calm"
    )
    assert windows_of(scenario.faults, "10") == (locked,)
    assert windows_of(scenario.faults, "calm") == (locked, slow)


def test_each_level_plans_its_own_faults_and_its_hash_covers_them(machine: MachineLimits) -> None:
    """Without faults a plan has the hash that it had before there were any."""
    plain, faulty = (parse_scenario(text, "x", machine) for text in (HEAD, SLOW))

    before, after = plan_levels(plain, 2), plan_levels(faulty, 2)
    assert [len(plan.faults) for plan in after] == [1, 2]
    assert [one.sha256() != other.sha256() for one, other in zip(before, after, strict=True)] == [
        True,
        True,
    ]
    later = parse_scenario(SLOW.replace('at = "5s"', 'at = "6s"'), "x", machine)
    assert plan_levels(later, 2)[0].sha256() != after[0].sha256()


def test_all_problems_of_all_faults_are_reported_at_once(machine: MachineLimits) -> None:
    text = f"""{HEAD}
[[fault]]
type = "database_timeut"
at = 1
duration = 1

[[fault]]
type = "disk_full"
server = "redis"
at = 1
duration = 1

[[fault]]
type = "memory_pressure"
server = "postgres"
at = 1
duration = 1
settings = {{ free_mb = 1 }}

[[fault]]
type = "server_freeze"
at = 1
length = 4
"""
    found = _problems(text, machine)

    expected = (
        'fault[1].type is "database_timeut"',
        'did you mean "database_timeout"?',
        'fault[2].server is "redis", where disk_full makes no sense: it keeps its data in memory',
        'fault[3].server is "postgres", but memory_pressure is a failure of the machine',
        "fault[3].settings.free_mb is 1; allowed is a number from 1000 to 1000000",
        "fault[4].duration is missing",
        "fault[4].length is unknown",
        "fault[4].server is missing; server_freeze is done to postgres, mysql, redis or mongodb.",
    )
    joined = "\n".join(found)
    for part in expected:
        assert part in joined


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (LOCKED.replace('"5s"', '"18s"'), "ends at 21 s, after the 20 s of steady phase of level"),
        (SLOW.replace('level = "calm"', 'level = "clam"'), 'did you mean "calm"?'),
        (LOCKED + LOCKED.removeprefix(HEAD), "database_timeout on postgres lasts from 5 to 8 s"),
        (
            SLOW + SLOW_PATH.replace("network_latency", "bandwidth_limit"),
            "network_latency on postgres lasts from 10 to 12 s already; on the way to postgres",
        ),
    ],
)
def test_windows_that_no_level_plays_whole_are_refused(
    more: str, message: str, machine: MachineLimits
) -> None:
    (problem,) = _problems(more, machine)

    assert message in problem


def test_stages_have_no_faults(machine: MachineLimits) -> None:
    staged = LOCKED.replace("concurrency = [10]", "").split("[[arrivals]]")[0]
    fault = LOCKED[LOCKED.index("[[fault]]") :]
    text = f"{staged}\n[[stage]]\nconcurrency = 5\n{fault}"

    (problem,) = _problems(text, machine)

    assert "stages and arms have no faults" in problem


def test_a_flag_takes_the_place_of_the_faults_or_leaves_them_out(machine: MachineLimits) -> None:
    given = Overrides(
        faults=("network_latency:redis:2s:1s:latency_ms=100", "memory_pressure:4s:1500ms")
    )

    assert parse_scenario(SLOW, "x", machine, given).faults == (
        FaultWindow("network_latency", "redis", 2.0, 1.0, {"latency_ms": 100.0}),
        FaultWindow("memory_pressure", "", 4.0, 1.5),
    )
    assert parse_scenario(SLOW, "x", machine, Overrides(faults=("none",))).faults == ()


def test_a_fault_of_a_level_that_a_flag_leaves_out_is_left_out(machine: MachineLimits) -> None:
    scenario = parse_scenario(SLOW, "x", machine, Overrides(concurrency=(4,)))

    assert [window.kind for window in scenario.faults] == ["database_timeout"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server_freez:postgres:1s:1s", 'did you mean "server_freeze"?'),
        ("server_freeze:1s:1s", "allowed is KIND:SERVER:AT:DURATION"),
        ("memory_pressure:1s", "allowed is KIND:AT:DURATION, such as memory_pressure:10s:3s"),
        ("server_freeze:oracle:1s:1s", 'where the server is "oracle"'),
        ("disk_full:redis:1s:1s", "makes no sense"),
        ("network_latency:redis:1s:1s:latency_ms=0", "latency_ms is 0; allowed is a number from 1"),
        ("network_latency:redis:1s:1s:delay=9", "delay is unknown"),
        ("server_freeze:postgres:1s:100ms", "duration_s is 0.1; allowed is a number from 0.5"),
        ("server_freeze:postgres:19s:2s", "ends at 21 s"),
    ],
)
def test_a_flag_that_names_no_failure_is_refused(
    text: str, message: str, machine: MachineLimits
) -> None:
    (problem,) = _problems(HEAD, machine, Overrides(faults=(text,)))

    assert problem.startswith("--fault ")
    assert message in problem


def test_every_setting_has_a_default_that_fits() -> None:
    for kind in FAULT_KINDS.values():
        defaults = {name: setting.default for name, setting in kind.settings.items()}
        assert not list(setting_problems(kind, defaults)), kind.name


@pytest.mark.parametrize(
    ("settings", "maximum"),
    [("jitter_ms = 51", "50"), ("latency_ms = 10, jitter_ms = 10.5", "10")],
)
def test_a_jitter_above_the_latency_is_refused_before_the_run(
    settings: str, maximum: str, machine: MachineLimits
) -> None:
    """Many answers would not be late at all: half of those of 1 ms with a jitter of 1 s."""
    text = SLOW_PATH.replace("[[fault]]", f"{HEAD}\n[[fault]]")
    (problem,) = _problems(f"{text}settings = {{ {settings} }}\n", machine)
    flag = f"network_latency:postgres:1s:1s:{settings.replace(' ', '')}"
    (of_flag,) = _problems(HEAD, machine, Overrides(faults=(flag,)))

    assert "fault[1].settings.jitter_ms is" in problem
    for each in (problem, of_flag):
        assert f"above latency_ms, {maximum}; allowed is at most that" in each
