"""The table [environment] of a scenario: values, names to pass through, and what is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.config.scenario.variables import HIDDEN, Variables, shown_value
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.environment.user_code import UserCode, user_code_of

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = read_machine_limits()
SCENARIO = 'concurrency = [4]\ntarget = "callable"\n[[workload]]\nfunction = "shop:order"\n'
SESSION = {"SHOP_TOKEN": "t0p-secret", "SSL_CERT_FILE": "/etc/ca.pem", "HOME": "/home/me"}


def variables(table: str) -> Variables:
    """Read a scenario with an [environment]."""
    text = f"{SCENARIO}[environment]\n{table}"
    return parse_scenario(text, "shop", MACHINE, session=SESSION).variables


def problems(table: str) -> list[str]:
    """Return the problems of an [environment]."""
    with pytest.raises(ScenarioError) as refused:
        variables(table)
    return refused.value.problems


def test_values_are_kept_and_passed_names_have_the_value_of_the_session() -> None:
    found = variables('SHOP_API = "http://shop"\nEMPTY = ""\npass = ["SHOP_TOKEN"]')
    assert found == Variables({"SHOP_API": "http://shop", "EMPTY": ""}, ("SHOP_TOKEN",))
    assert found.resolved(SESSION) == {
        "SHOP_API": "http://shop",
        "EMPTY": "",
        "SHOP_TOKEN": "t0p-secret",
    }
    assert variables("") == Variables()


def test_a_scenario_holds_no_value_of_the_session() -> None:
    """So neither the plan nor what is handed to the Dagster process can."""
    found = variables('pass = ["SHOP_TOKEN", "SSL_CERT_FILE"]')
    assert "t0p-secret" not in json.dumps(asdict(found))
    assert found.secrets(SESSION) == ("t0p-secret", "/etc/ca.pem")


def test_every_wrong_variable_is_reported_at_once_with_its_line_and_without_its_value() -> None:
    found = problems(
        'PERF_PIPELINE_REDIS_URL = "v4lue"\n'
        'PYTHONPATH = "v4lue"\n'
        'PYTHONOPTIMIZE = "v4lue"\n'
        'PYTHONWARNINGS = "v4lue"\n'
        'LD_PRELOAD = "v4lue"\n'
        '"A-B" = "v4lue"\n'
        "PORT = 4711\n"
        'SHOP_TOKEN = "v4lue"\n'
        'pass = ["SHOP_TOKEN", "SHOP_TOKNE", "PYTHONHOME", "AWS_*"]\n'
    )
    wanted = [
        "line 6: environment.PERF_PIPELINE_REDIS_URL may not be set: it is set by perf_pipeline",
        "line 7: environment.PYTHONPATH may not be set: it would change which modules",
        "line 8: environment.PYTHONOPTIMIZE may not be set: it would remove every assert",
        "line 9: environment.PYTHONWARNINGS may not be set: it would change how the worker itself",
        "line 10: environment.LD_PRELOAD may not be set: it loads code before the worker",
        "line 11: environment.A-B is not the name of a variable",
        'line 12: environment.PORT is an int; a value is a text, written PORT = "..."',
        "line 13: environment.SHOP_TOKEN is given a value and is in pass as well",
        'line 14: environment.pass has "AWS_*", which is not the name of a variable',
        'line 14: environment.pass has "PYTHONHOME", which may not be set',
        'line 14: environment.pass has "SHOP_TOKNE", which is to be passed through, but this',
    ]
    assert len(found) == len(wanted)
    for sentence in wanted:
        assert any(f"shop.toml {sentence}" in one for one in found), (sentence, found)
    assert "v4lue" not in "".join(found)
    assert "t0p-secret" not in "".join(found)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('pass = "SHOP_TOKEN"', "environment.pass is not a list of names"),
        ("pass = [1]", "environment.pass is not a list of names"),
        ('X = "a\\u0000b"', "environment.X holds a NUL character"),
        ("\n".join(f'V{n} = ""' for n in range(101)), "has 101 variables; the maximum is 100"),
        ("[environment.nested]\na = 1", "environment.nested is a dict; a value is a text"),
    ],
)
def test_a_table_of_another_shape_is_refused(table: str, problem: str) -> None:
    assert any(problem in one for one in problems(table))


def test_an_environment_that_is_no_table_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"environment is \"X=1\"; allowed is one table"):
        parse_scenario(f'environment = "X=1"\n{SCENARIO}', "shop", MACHINE)


@pytest.mark.parametrize(
    "name", ["HOME", "PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "PYTHONHASHSEED", "OMP_NUM_THREADS"]
)
def test_what_may_be_set_replaces_our_own(name: str) -> None:
    found = variables(f'{name} = "mine"')
    assert UserCode(variables=found).environment("/own/home", {})[name] == "mine"


@pytest.mark.parametrize(
    "name",
    [
        "SHOP_TOKEN", "DB_PASSWORD", "PGPASSWORD", "API_KEY", "APIKEY", "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID", "STRIPE_KEY", "GH_PAT", "SENTRY_DSN", "AUTH", "PRIVATE_KEY", "PASS",
        "JWT", "session_cookie", "GOOGLE_APPLICATION_CREDENTIALS",
    ],
)  # fmt: skip
def test_a_value_whose_name_looks_like_a_secret_is_hidden(name: str) -> None:
    assert shown_value(name, "x") == HIDDEN


@pytest.mark.parametrize(
    "name", ["SHOP_API", "KEYBOARD", "PATH", "BYPASS", "AUTHOR", "PATTERN", "TZ", "COMPASS_URL"]
)
def test_other_values_are_shown(name: str) -> None:
    assert shown_value(name, "x") == "x"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("https://me:pw@shop/x?y", "https://***@shop/x?y"),
        ("redis://:p#w/1@shop", "redis://***@shop"),
        ("https://shop/@me", "https://shop/@me"),
    ],
)
def test_a_password_in_a_url_is_hidden_whatever_its_name(value: str, shown: str) -> None:
    assert shown_value("SHOP_API", value) == shown
    assert (value in Variables({"SHOP_API": value}).secrets({})) == (value != shown)


def test_variables_that_were_never_read_from_a_file_are_checked_before_a_process_has_them() -> None:
    scenario = parse_scenario(SCENARIO, "shop", MACHINE)
    object.__setattr__(scenario, "variables", Variables({"LD_PRELOAD": "x"}, ("ABSENT",)))
    with pytest.raises(ScenarioError) as refused:
        user_code_of(scenario, {})
    assert len(refused.value.problems) == 2


def test_functions_work_in_the_folder_of_the_scenarios_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the run is started from; families work in an empty folder."""
    monkeypatch.chdir("/")
    folder = tmp_path / "own"
    scenario = parse_scenario(SCENARIO, "shop", MACHINE, folder=folder)
    assert user_code_of(scenario, {}).folder == str(folder)
    families = '[[workload]]\nfamily = "transformation"\ncomplexity = "simple"'
    scenario = parse_scenario(f"concurrency = [4]\n{families}", "x", MACHINE, folder=folder)
    assert user_code_of(scenario, {}).folder is None
