"""The public names: importable, listed, and without anything that only the harness has."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import perf_pipeline
from perf_pipeline import open_scenario, run_scenario
from perf_pipeline.errors import PerfPipelineError, ScenarioError

ROOT = Path(__file__).resolve().parents[2]


def test_every_public_name_is_listed_and_can_be_imported() -> None:
    assert set(perf_pipeline.__all__) <= set(dir(perf_pipeline))
    for name in perf_pipeline.__all__:
        assert getattr(perf_pipeline, name).__name__ == name or name in {"Validity", "Verdict"}


def test_every_error_of_the_package_is_public() -> None:
    errors = sys.modules[PerfPipelineError.__module__]
    kinds = {name for name, kind in vars(errors).items() if inspect.isclass(kind)}
    assert kinds <= set(perf_pipeline.__all__)


def test_importing_the_package_takes_the_standard_library_alone() -> None:
    """In the target's environment nothing of the harness is installed: -S has no packages."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import perf_pipeline"
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True, timeout=60)


def test_scenario_and_run_need_nothing_else() -> None:
    """Settings and the limits of the machine are read where they are not given."""
    for function, first in ((open_scenario, "name_or_path"), (run_scenario, "scenario")):
        parameters = inspect.signature(function).parameters.values()
        needed = [
            one.name
            for one in parameters
            if one.default is one.empty and one.kind is not one.VAR_KEYWORD
        ]
        assert needed == [first]


def test_values_given_in_python_are_those_of_the_flags() -> None:
    scenario = open_scenario("baseline", concurrency=[5, 10], duration_s=2, target="control")
    assert (scenario.concurrency, scenario.phases.steady_s) == ((5, 10), 2.0)
    assert scenario.target == "control"
    assert open_scenario("baseline", concurrency=5).concurrency == (5,)


def test_wrong_values_given_in_python_are_reported_at_once_as_those_of_the_flags() -> None:
    with pytest.raises(ScenarioError) as caught:
        open_scenario("baseline", concurrency=[0], seed="x")
    assert [problem.split(" is ")[0] for problem in caught.value.problems] == [
        "--concurrency",
        "--seed",
    ]


def test_a_misspelt_value_is_a_type_error_that_names_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"'concurency'.*did you mean \"concurrency\"\?"):
        open_scenario("baseline", concurency=[5])
