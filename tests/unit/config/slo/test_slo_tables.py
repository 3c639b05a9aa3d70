"""SLOs of a scenario file and of flags: each that fits is there, each that does not is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

HEAD = 'target = "control"\nconcurrency = [10, 20]\n'
WORKLOAD = '[[workload]]\nfamily = "analytics"\ncomplexity = "simple"\n'


def _slos(
    machine: MachineLimits, top: str = "", tables: str = "", overrides: Overrides | None = None
) -> tuple[Slo, ...]:
    return parse_scenario(HEAD + top + "\n" + WORKLOAD + tables, "s", machine, overrides).slos


def _problems(machine: MachineLimits, tables: str, top: str = "") -> str:
    with pytest.raises(ScenarioError) as refused:
        _slos(machine, top, tables)
    return "\n".join(refused.value.problems)


def test_texts_and_tables_mean_the_same(machine: MachineLimits) -> None:
    texts = 'slo = ["p99_s < 0.5", "throughput_per_s >= 100"]'
    tables = """
        [[slo]]
        metric = "p99_s"
        at_most = 0.5
        [[slo]]
        metric = "throughput_per_s"
        at_least = 100
    """
    assert _slos(machine, texts) == _slos(machine, tables=tables)
    assert _slos(machine) == ()


def test_every_key_of_a_table_has_its_place(machine: MachineLimits) -> None:
    table = """
        [[slo]]
        metric = "p99_s"
        at_most = 0.5
        family = "analytics"
        level = 20
        window_s = 10
        abort = true
        grace_s = 3
    """
    (slo,) = _slos(machine, tables=table)

    assert slo == Slo(
        "p99_s", 0.5, family="analytics", level="20", window_s=10, abort=True, grace_s=3
    )
    assert slo.text == "analytics p99_s <= 0.5 over 10 s at 20"


def test_a_table_takes_the_units_that_a_text_takes(machine: MachineLimits) -> None:
    table = """
        [[slo]]
        metric = "p99.9"
        at_most = "250ms"
        [[slo]]
        metric = "throughput"
        at_least = "50/s"
    """
    texts = 'slo = ["p99.9 < 250ms", "throughput > 50/s"]'
    assert _slos(machine, tables=table) == _slos(machine, texts)
    assert [slo.text for slo in _slos(machine, texts)] == [
        *("p99.9_s <= 0.25", "throughput_per_s >= 50")
    ]


@pytest.mark.parametrize(
    ("table", "reported"),
    [
        ('metric = "p99_s"', "slo[1] needs one limit: at_most or at_least."),
        ('metric = "p99_s"\nat_most = 1\nat_least = 1', "needs one limit"),
        ("at_most = 1", "slo[1].metric is missing"),
        ('metric = "q99_s"\nat_most = 1', 'did you mean "p99_s"?'),
        ('metric = "p99"\nat_most = "5%"', "slo[1].at_most has the limit"),
        ('metric = "p99"\nat_most = true', "slo[1].at_most is true"),
        ('metric = "p99_s"\nat_least = 1', "needs an upper limit"),
        ('metric = "p99_s"\nat_most = 1\nlevel = 30', 'slo[1].level is "30"'),
        ('metric = "p99_s"\nat_most = 1\nfamily = "transformation"', "does not have; there are an"),
        ('metric = "p99_s"\nat_most = 1\nwindow = 3', 'unknown; did you mean "window_s"?'),
        ('metric = "p99_s"\nat_most = 1\nwindow_s = 60', "above phases.duration (20)"),
        ('metric = "p99_s"\nat_most = 1\ngrace_s = 3', "without abort = true"),
        ('metric = "p99_s"\nat_most = 120', "not below phases.deadline_s (120)"),
        ('metric = "memory_mb"\nat_most = 1\nfamily = "analytics"', "of the workers"),
        ('metric = "cpu_percent"\nat_most = 1\nabort = true', "[limits] and [stop] do that"),
        ('metric = "memory_mb"\nat_most = 1\nwindow_s = 5', "is a peak"),
        ('metric = "p99_s"\nat_most = 1\nlevel = true', "slo[1].level is true"),
    ],
)
def test_what_does_not_fit_is_reported_with_its_place(
    machine: MachineLimits, table: str, reported: str
) -> None:
    assert reported in _problems(machine, f"[[slo]]\n{table}\n")


def test_a_problem_names_the_line_of_its_own_table(machine: MachineLimits) -> None:
    """The second of three: those before it that are wrong must not shift it."""
    tables = "[[slo]]\n[[slo]]\nmetric = 'p99_s'\nat_most = 1\nlevel = 'x'\n"

    assert "s.toml line 11: slo[2].level" in _problems(machine, tables)


def test_two_limits_for_the_same_are_too_many(machine: MachineLimits) -> None:
    reported = _problems(machine, "", 'slo = ["p99_s < 1", "p99_s < 2", 3, "p99_s!"]')

    assert "slo[2] is about p99_s <= 2 for the second time" in reported
    assert "slo[3] is 3; allowed is a table, or a text" in reported
    assert 'slo[4] is "p99_s!", which is not like' in reported
    assert "slo is 3; allowed are at most" in _problems(machine, "", "slo = 3")


def test_a_flag_takes_the_place_of_its_like_and_is_added_to_the_others(
    machine: MachineLimits,
) -> None:
    flags = Overrides(slos=("p99_s < 2", "error_ratio <= 0.1"))

    slos = _slos(machine, 'slo = ["p99_s < 1", "p50_s < 1"]', overrides=flags)
    assert [slo.text for slo in slos] == ["p50_s <= 1", "p99_s <= 2", "error_ratio <= 0.1"]


def test_a_wrong_flag_is_reported(machine: MachineLimits) -> None:
    with pytest.raises(ScenarioError) as refused:
        _slos(machine, overrides=Overrides(slos=("p99_s > 2", "p99_s < 200", "p99_s < 201")))

    assert [problem.partition(" is ")[0] for problem in refused.value.problems] == [
        '--slo "p99_s > 2" needs an upper limit (<, at_most): P99 latency',
        '--slo "p99_s < 200"',
        '--slo "p99_s < 201"',
        "--slo",
    ]


def test_an_objective_of_a_level_that_a_flag_leaves_out_is_left_out(
    machine: MachineLimits,
) -> None:
    tables = "".join(
        f"[[slo]]\nmetric = 'p99_s'\nat_most = 1\nlevel = {level}\n" for level in (10, 20)
    )
    slos = _slos(machine, tables=tables, overrides=Overrides(max_concurrency=10))

    assert [slo.level for slo in slos] == ["10"]
