"""A scenario file is a scenario, or all of its problems with line, value and allowed range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perf_pipeline.config.flags.flag import flag_values
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.keys import REPEATED, SECTIONS, SETTINGS, TOP
from perf_pipeline.config.scenario.parse import parse_scenario, read_scenario
from perf_pipeline.config.scenario.scenario import Arm, Phases, Scenario, Workload
from perf_pipeline.config.scenario.variables import ENVIRONMENT
from perf_pipeline.config.slo.slo_tables import SLO
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

MINIMAL = """\
concurrency = [10]
[[workload]]
family = "transformation"
complexity = "simple"
"""


def problems(text: str, machine: MachineLimits, overrides: Overrides | None = None) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "mine", machine, overrides)
    return caught.value.problems


def with_line(line: str) -> str:
    return f"{line}\n{MINIMAL}"


def with_arm(label: str) -> str:
    return MINIMAL + (
        f'[[arm]]\nlabel = "{label}"\ntarget = "control"\nnodes = "code"\n'
        "concurrency = 1\nsteady_s = 1\n"
    )


def test_the_smallest_scenario_has_the_documented_defaults(machine: MachineLimits) -> None:
    assert parse_scenario(MINIMAL, "mine", machine) == Scenario(
        name="mine",
        concurrency=(10,),
        workloads=(Workload("transformation", "simple"),),
        folder=str(Path.cwd()),
    )


def test_every_key_arrives_where_it_belongs(machine: MachineLimits) -> None:
    text = """
    title = "T"
    seed = 7
    target = "control"
    nodes = "lean"
    concurrency = [5, 3]
    processes = 3
    repeats = 2
    workload = [{family = "analytics", complexity = "complex", weight = 2}]
    phases.steady_s = 1
    phases.steady_max_s = 9
    [[arm]]
    label = "a-1"
    target = "kailash"
    nodes = "code"
    concurrency = 4
    steady_s = 2.5
    """
    assert parse_scenario(text, "n", machine) == Scenario(
        name="n",
        folder=str(Path.cwd()),
        title="T",
        seed=7,
        target="control",
        nodes="lean",
        concurrency=(5, 3),
        processes=3,
        repeats=2,
        workloads=(Workload("analytics", "complex", 2.0),),
        phases=Phases(steady_s=1.0, steady_max_s=9.0),
        arms=(Arm("a-1", "kailash", "code", 4, 2.5),),
    )


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(machine: MachineLimits) -> None:
    text = """\
sead = 1
seed = -1
target = "kailsh"
concurrency = [10, 0,
  10, "x"]
[[workload]]
family = "analytic"
complexity = "simple"
[phases]
steady_s = nan
drain_s = true
"""
    assert problems(text, machine) == [
        'mine.toml line 1: sead is unknown; did you mean "seed"?',
        (
            "mine.toml line 2: seed is -1; allowed is an integer from 0 to 9223372036854775807 "
            "(source of every random choice)."
        ),
        (
            'mine.toml line 3: target is "kailsh", which names no target; there are callable, '
            "callable_async, control, control_async, http, kailash, kailash_async; did you mean "
            '"kailash"? (what executes the workflows).'
        ),
        (
            "mine.toml line 4: concurrency[2] is 0; allowed is an integer from 1 to 20000 "
            "(workflows in flight)."
        ),
        (
            "mine.toml line 5: concurrency[3] is 10 for the second time; name each value once "
            "(repeats runs all of them again)."
        ),
        (
            'mine.toml line 5: concurrency[4] is "x"; allowed is an integer from 1 to 20000 '
            "(workflows in flight)."
        ),
        (
            'mine.toml line 7: workload[1].family is "analytic"; allowed is "transformation", '
            '"analytics", "data_processing" or "database" (what one workflow does); did you mean '
            '"analytics"?'
        ),
        (
            "mine.toml line 10: phases.steady_s is nan; allowed is a number from 0.5 to 86400 "
            "(s, minimum length of the steady phase)."
        ),
        (
            "mine.toml line 11: phases.drain_s is true; allowed is a number from 0 to 3600 "
            "(s in which workflows in flight may still end)."
        ),
    ]


@pytest.mark.parametrize(
    "value",
    ["0", "-1", "true", "nan", "inf", "1e12", "100.0", '"100"', "20001", "[1]", "{a = 1}",
     "1979-05-27", "0x" + "f" * 5000],
)  # fmt: skip
def test_what_is_no_level_is_refused_with_its_line(value: str, machine: MachineLimits) -> None:
    text = MINIMAL.replace("[10]", f"[10, {value}]")
    (problem,) = problems(text, machine)
    assert problem.startswith("mine.toml line 1: concurrency[2] is ")
    assert problem.endswith("allowed is an integer from 1 to 20000 (workflows in flight).")
    assert len(problem) < 200


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("processes = 0", "processes is 0; allowed is an integer from 1 to 64"),
        ("repeats = 1e3", "repeats is 1000.0; allowed is an integer from 1 to 100"),
        ("title = 5", "title is 5; allowed is one line of 0 to 200 printable characters"),
        ('title = "a\\u001b[31m"', 'title is "a\\u001b[31m"; allowed is one line'),
        ("endurance = true", "endurance is true; allowed is one table, written [endurance]."),
        ("phases = 5", "phases is 5; allowed is one table, written [phases]."),
        ("arm = [1]", "arm[1] is 1; allowed is a table, written [[arm]]."),
        ("arm = {}", "arm is a table; allowed are at most 50 tables, each written [[arm]]."),
        (
            "steady_s = 5",
            "steady_s is unknown; it belongs in [phases], in [[arm]], in [[stage]], in",
        ),
        ("phases.seed = 5", "phases.seed is unknown; it belongs at the top of the file."),
        ("zzz = 1", "zzz is unknown; known here are title, seed, target"),
        ('"a\\u001bb" = 1', "a\\u001bb is unknown"),
        ("phases.steady_max_s = 3", "is 3, below warm_up_s (5)"),
        ("phases.steady_max_s = 6", "is 6, below duration (20)"),
        ("connections.max_db_connections = 1", "is 1, below the 2 worker processes"),
        ("processes = 64", "max_db_connections is 50, below the 64 worker processes"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_allowed(
    line: str, message: str, machine: MachineLimits
) -> None:
    found = problems(with_line(line), machine)
    assert any(message in problem for problem in found), found
    assert all("mine.toml" in problem for problem in found)


@pytest.mark.parametrize("table", [*SECTIONS, *REPEATED, SETTINGS, ENVIRONMENT, SLO])
@pytest.mark.parametrize("written", ["true", "0", '""', "[]", "[[]]", "[1]", "{}", "2026-01-14"])
def test_what_stands_in_the_place_of_a_table_is_a_scenario_or_named(
    table: str, written: str, machine: MachineLimits
) -> None:
    """A table of the wrong type, or without its required keys, is no defect of ours."""
    text = f"{table} = {written}\n" + ("" if table == "workload" else MINIMAL)
    refused = []
    try:
        parse_scenario(text, "mine", machine)
    except ScenarioError as error:
        refused = error.problems
    assert not refused or any(table in problem for problem in refused), refused


def test_only_the_levels_that_are_too_many_for_the_machine_are_refused_with_the_arithmetic(
    machine: MachineLimits,
) -> None:
    small = replace(machine, descriptors_hard=1000)
    text = MINIMAL.replace("[10]", "[10, 532, 534]")
    assert problems(text, small) == [
        (
            "mine.toml line 1: concurrency contains 534, above the 532 that this machine can run "
            "on kailash, where a slot is a thread "
            "(descriptors: 2 worker processes x (1000 file descriptors, the hard limit, - 200) / 3 "
            "a workflow = 532); allowed is 1 to 532, or raise the hard limit (ulimit -Hn 6200 "
            "allows 2000 a process); asynchronous targets can run 20000 here."
        )
    ]


def test_an_arm_is_limited_by_the_machine_and_by_the_maximum_length(machine: MachineLimits) -> None:
    small = replace(machine, descriptors_hard=1000)
    text = with_arm("x").replace("concurrency = 1\n", "concurrency = 533\n")
    level, length = problems(text.replace("steady_s = 1\n", "steady_s = 151\n"), small)
    assert level.startswith("mine.toml line 9: arm[1].concurrency is 533, above the 532 that")
    assert length == (
        "mine.toml line 10: arm[1].steady_s is 151, above phases.steady_max_s (150), the maximum "
        "length of a phase; allowed is 150 s or less."
    )
    (reported_once,) = problems(text.replace("[10]", "[533]"), small)
    assert reported_once.startswith("mine.toml line 1: concurrency contains 533")


def test_a_machine_without_room_for_one_workflow_is_reported(machine: MachineLimits) -> None:
    (problem,) = problems(MINIMAL, replace(machine, memory_available_bytes=1))
    assert "concurrency contains 10, but this machine can run not even one on kailash" in problem
    assert "(memory: (0 MB" in problem


@pytest.mark.parametrize("label", ["a", "lean_2-x", "a" * 40])
def test_an_arms_label_may_be_plain_text(label: str, machine: MachineLimits) -> None:
    assert parse_scenario(with_arm(label), "mine", machine).arms[0].label == label


@pytest.mark.parametrize(
    "label",
    ["", "a" * 41, "100", "..", "a/b", "Lean", "-rf", "a\\n", "\\u0000", "\\u202e", "é"],
)
def test_an_arms_label_that_is_no_safe_name_of_a_folder_is_refused(
    label: str, machine: MachineLimits
) -> None:
    (problem,) = problems(with_arm(label), machine)
    assert problem.startswith("mine.toml line 6: arm[1].label is ")
    assert "1 to 40 of a-z" in problem


def test_arms_and_workloads_given_twice_are_named(machine: MachineLimits) -> None:
    arm = (
        '[[arm]]\nlabel = "x"\ntarget = "control"\nnodes = "code"\nconcurrency = 1\nsteady_s = 1\n'
    )
    workload = '[[workload]]\nfamily = "transformation"\ncomplexity = "simple"\n'
    found = problems(MINIMAL + workload + arm + arm, machine)
    assert found == [
        (
            "mine.toml line 5: workload[2] is transformation, simple for the second time; give the "
            "first one a greater weight instead."
        ),
        (
            'mine.toml line 15: arm[2].label is "x" for the second time; each arm needs its own '
            "label (it names a folder)."
        ),
    ]


def test_missing_keys_are_named_at_their_table(machine: MachineLimits) -> None:
    found = problems('title = "x"\n\n[[workload]]\n', machine)
    assert [problem.split(";")[0] for problem in found] == [
        "mine.toml: concurrency is missing",
        "mine.toml line 3: workload[1].family is missing",
        "mine.toml line 3: workload[1].complexity is missing",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "mine.toml: is empty; a scenario needs at least concurrency and one [[workload]]."),
        ("# only a comment\n", "mine.toml: is empty"),
        ("seed = 1\nseed == 2\n", "mine.toml line 2, column 7: is not TOML: invalid value."),
        ("seed = 1\nseed = 2\n", "mine.toml line 2, column 9: is not TOML: cannot overwrite"),
        ("a = [1,\n2\n", "mine.toml line 2: is not TOML: unclosed array."),
        (
            'slo = ["p99_s < 5"]\n[[slo]]\n',
            "mine.toml line 2, column 6: is not TOML: slo is given twice: use either `slo = [",
        ),
        ("a = 1\n\x00", "mine.toml line 2, column 1: is not TOML"),
        ("a = 'x\x1b[31m'", "mine.toml line 1, column 7: is not TOML: found invalid character"),
        ("a = " + "[" * 30_000, "mine.toml: is nested too deeply"),
        ("a = " + "9" * 5000, "mine.toml: holds an impossible value: Exceeds the limit"),
    ],
)
def test_what_is_not_toml_keeps_its_line(text: str, message: str, machine: MachineLimits) -> None:
    (problem,) = problems(text, machine)
    assert problem.startswith(message), problem
    assert problem.isprintable()


def test_flags_are_checked_together_with_the_file(machine: MachineLimits) -> None:
    overrides = Overrides(concurrency=(0, 7), duration=float("inf"), target="kailas")
    assert problems(with_line("seed = -1"), machine, overrides) == [
        (
            "mine.toml line 1: seed is -1; allowed is an integer from 0 to 9223372036854775807 "
            "(source of every random choice)."
        ),
        "--concurrency is 0; allowed is an integer from 1 to 20000 (workflows in flight).",
        (
            '--target is "kailas", which names no target; there are callable, callable_async, '
            'control, control_async, http, kailash, kailash_async; did you mean "kailash"? (what '
            "executes the workflows)."
        ),
        (
            "--duration is inf; allowed is a number from 0.5 to 86400 (s, minimum length of the "
            "steady phase)."
        ),
    ]
    assert problems("seed =", machine, Overrides(repeats=0))[1:] == [
        "--repeats is 0; allowed is an integer from 1 to 100 (how many times the levels run)."
    ]


def test_a_flag_makes_a_scenario_fit_a_small_machine_and_is_checked_against_it(
    machine: MachineLimits,
) -> None:
    small = replace(machine, descriptors_hard=1000)
    text = MINIMAL.replace("[10]", "[10, 1000]")
    assert parse_scenario(text, "m", small, Overrides(max_concurrency=500)).concurrency == (10,)
    too_many = "--concurrency contains 600, above the 532 that this machine can run"
    (problem,) = problems(MINIMAL, small, Overrides(concurrency=(600,)))
    assert problem.startswith(too_many)
    wrong, problem = problems(MINIMAL.replace("[10]", "[0]"), small, Overrides(concurrency=(600,)))
    assert wrong.startswith("mine.toml line 1: concurrency[1] is 0;")
    assert problem.startswith(too_many)


@pytest.mark.parametrize("stem", ["a b", "-x", ".x", "é", "x" * 81, "a\nb"])
def test_a_files_stem_must_be_fit_to_name_result_files(
    stem: str, machine: MachineLimits, tmp_path: Path
) -> None:
    path = tmp_path / f"{stem}.toml"
    path.write_text(MINIMAL)
    with pytest.raises(ScenarioError, match="the scenario's name is"):
        read_scenario(path, machine)


def test_a_file_that_is_not_there_is_reported_together_with_the_flags(
    machine: MachineLimits, tmp_path: Path
) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(tmp_path / "no.toml", machine, Overrides(seed=-1))
    missing, flag = caught.value.problems
    assert missing == f"{tmp_path}/no.toml: cannot be read: no such file or directory."
    assert flag.startswith("--seed is -1;")


NAMES = sorted(
    {key.name for keys in (TOP, *SECTIONS.values(), *REPEATED.values()) for key in keys}
    | {
        *SECTIONS,
        *REPEATED,
        "phases.steady_s",
        "duration",
        "rate",
        '"quo ted"',
        "'lit.eral'",
        "unknown",
        '""',
    }
)
SCALARS = st.one_of(
    st.sampled_from(
        ["true", "0", "-1", "1", "100", "2000", "1e12", "nan", "-inf", "1.5", "1979-05-27",
         "07:32:00", "1979-05-27 07:32:00Z", "0xffffffffffffffffffffffff", '"kailash"', '"lean"',
         '"simple"', '"analytics"', '"a]b"', "'#x'", '"""m\n"u" l"""', "'''\n'x'''", '"\\u0000"',
         '"control"', '"code"', '""']
    ),
    st.integers().map(str),
    st.floats().map(str),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)
LINES = st.one_of(
    st.tuples(st.sampled_from(NAMES), VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    st.sampled_from(["[phases]", "[connections]", "[[arm]]", "[[workload]]", "[workload]", "# x"]),
    st.sampled_from([*MINIMAL.splitlines(), MINIMAL]),
    st.text(max_size=20),
)
FLAG_VALUES = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=9))


@settings(max_examples=150, deadline=None)
@given(
    head=st.sampled_from(["", "concurrency = [10]\n"]),
    lines=st.lists(LINES, max_size=12, unique=True),
    flags=st.fixed_dictionaries(
        {},
        optional={
            "concurrency": st.lists(FLAG_VALUES, max_size=4).map(tuple),
            "max_concurrency": FLAG_VALUES,
            "target": FLAG_VALUES,
            "duration": FLAG_VALUES,
            "seed": FLAG_VALUES,
            "complexity": st.sampled_from(["simple", "x"]),
        },
    ),
)
@example(head="", lines=["endurance = true"], flags={})
def test_any_text_and_flags_are_a_scenario_or_a_scenario_error(
    head: str, lines: list[str], flags: dict[str, object], machine: MachineLimits
) -> None:
    """Nothing else is raised, and every sentence is one printable line."""
    overrides = Overrides(**flags)  # type: ignore[arg-type]
    scenario, refused = None, []
    try:
        scenario = parse_scenario(head + "\n".join(lines), "fuzz", machine, overrides)
    except ScenarioError as error:
        refused = error.problems
    if scenario is None:
        assert refused
        assert [line for line in refused if not line.isprintable()] == []
    else:
        assert scenario.workloads
        assert all(1 <= level <= 2000 for level in scenario.concurrency)
        assert scenario.phases.steady_max_s >= scenario.phases.steady_s > 0


def test_a_length_of_time_is_seconds_or_a_text_with_its_unit(machine: MachineLimits) -> None:
    text = MINIMAL + '\n[phases]\nduration = "1.5m"\nwarm_up_s = "500ms"\ndeadline_s = 30\n'
    phases = parse_scenario(text, "mine", machine).phases
    assert (phases.steady_s, phases.warm_up_s, phases.deadline_s) == (90.0, 0.5, 30.0)

    with pytest.raises(ScenarioError) as refused:
        parse_scenario(MINIMAL + '\n[phases]\nduration = "1 minute"\n', "mine", machine)
    (problem,) = refused.value.problems
    assert 'phases.duration is "1 minute"; allowed is a number from 0.5 to 86400' in problem
    assert problem.endswith(
        'a text is a length of time in seconds, or with a unit, such as "30s" or "5m".'
    )


def test_a_length_of_time_has_one_meaning_in_file_flag_and_keyword(machine: MachineLimits) -> None:
    by_old_key = parse_scenario(MINIMAL + "\n[phases]\nsteady_s = 30\n", "mine", machine)
    for duration in ("30s", "30", 30, 30.0, "0.5m"):
        values = flag_values(Overrides, {"duration": duration})
        by_flag = parse_scenario(MINIMAL, "mine", machine, Overrides(**values))
        assert by_flag.phases == by_old_key.phases
    assert flag_values(Overrides, {"duration_s": 5, "rates": [3]}) == {"duration": 5, "rate": (3,)}
    with pytest.raises(TypeError, match="duration is given twice"):
        flag_values(Overrides, {"duration": 5, "duration_s": 5})
