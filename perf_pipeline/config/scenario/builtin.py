"""The scenarios that come with the project, and finding one by name or path."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.flags.flag import check_flags, flag_values
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.wording import did_you_mean, listed, shown
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.scenario import Scenario

BUILTIN_FOLDER = Path(__file__).parents[2] / "scenarios"


def list_scenarios(folder: Path = BUILTIN_FOLDER) -> dict[str, str]:
    """Return the name of every scenario in the folder, in alphabetical order, to its title."""
    return {path.stem: _title(path) for path in sorted(folder.glob("*.toml"))}


def find_scenario(name_or_path: str, folder: Path = BUILTIN_FOLDER) -> Path:
    """Return the file of a built-in scenario's name, or the path itself.

    A name with a ``/`` or ending in ``.toml`` is a path; any other is a built-in scenario if
    there is one, and else a path if a file is there.

    Raises:
        ScenarioError: It is neither; the text names the nearest known scenario. A URL is not
            repeated: it may have a password.
    """
    if "://" in name_or_path:
        variables = listed([one.url_variable for one in SERVICES.values()])
        what = "the scenario is given as a URL, but it is a name or a TOML file"
        raise ScenarioError([f"{what}; a server's URL goes into the environment: {variables}"])
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        return Path(name_or_path)
    known = [path.stem for path in sorted(folder.glob("*.toml"))]
    if name_or_path in known:
        return folder / f"{name_or_path}.toml"
    if _exists(name_or_path):
        return Path(name_or_path)
    hint = did_you_mean(name_or_path, known) or f"known are {listed(known)}."
    raise ScenarioError(
        [f"scenario {shown(name_or_path)} is unknown, and no such file is here; {hint}"]
    )


def open_scenario(
    name_or_path: str,
    machine: MachineLimits | None = None,
    overrides: Overrides | None = None,
    **values: object,
) -> Scenario:
    """Find and read a scenario, with the flags of ``run`` in place.

    ``open_scenario("baseline", concurrency=[10, 50], duration=5)`` changes values of the
    scenario as ``perf-pipeline run baseline --concurrency 10 50 --duration 5`` does.

    Args:
        name_or_path: Name of a scenario of the project, or path of a TOML file.
        machine: What a level must not exceed; None for the limits of this machine.
        overrides: Flags that change values of the scenario; None for none.
        values: The same by the names of the fields of ``Overrides``; these count where both are
            given. Several values are a list or a tuple.

    Raises:
        ScenarioError: With every problem of the name, the file and the flags.
        TypeError: A keyword is no field of ``Overrides``.
    """
    given = overrides or Overrides()
    if values:
        given = replace(given, **flag_values(type(given), values))
    try:
        path = find_scenario(name_or_path)
    except ScenarioError as error:
        problems = Problems(name_or_path)
        check_flags(given, problems)
        raise ScenarioError([*error.problems, *problems.sentences()]) from error
    return read_scenario(path, machine or read_machine_limits(), given)


def _exists(path: str) -> bool:
    """Return whether a file is there; a text that cannot be a path names none."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def _title(path: Path) -> str:
    with path.open("rb") as file:
        return str(tomllib.load(file).get("title", ""))
