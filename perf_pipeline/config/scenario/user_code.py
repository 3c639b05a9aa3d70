"""A user's own code in a scenario: functions as workloads, their folder, their Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.data_file import read_data
from perf_pipeline.config.http.request_table import REQUESTS
from perf_pipeline.config.scenario.keys import COMPLEXITY, FAMILY
from perf_pipeline.config.scenario.scenario import (
    COMPLEXITIES,
    FAMILIES,
    Scenario,
    Workload,
)
from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.config.wording import shown

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.positions import KeyPath
    from perf_pipeline.config.scenario.problems import Problems

_PLAYS = {
    "families": "plays families",
    "functions": "calls functions",
    "requests": "sends requests",
}
_TAKEN = {
    "functions": 'functions need "callable" (plain ones) or "callable_async" (async def)',
    "requests": '[[requests]] need "http"',
}
_NEEDED = {
    "functions": 'give function = "module:function" in [[workload]] in place of family and '
    "complexity",
    "requests": "give [[requests]] in place of [[workload]]",
}


def workload_of(table: dict[str, Any], index: int, folder: Path, problems: Problems) -> Workload:
    """Make a workload of its table: a family at a complexity, or a function.

    Args:
        table: Values that fit their keys.
        index: Which ``[[workload]]``.
        folder: Where a relative path of its data begins.
        problems: Receives keys that are missing or superfluous, and what is wrong with its data.
    """
    weight, here = table.get("weight", 1.0), ("workload", index)
    if "function" in table:
        for name in ("family", "complexity"):
            if name in table:
                problems.at((*here, name), "is given beside function; give one of the two.")
        if "data" not in table or not problems.is_good((*here, "data")):
            return Workload(table["function"], "", weight)
        path = str(Path(folder, table["data"]))
        data = read_data(path)
        for problem in data.problems:
            problems.at((*here, "data"), problem)
        return Workload(table["function"], "", weight, path, data.sha256)
    if "data" in table:
        problems.at((*here, "data"), "is given without function; only functions are given rows.")
    for key in (FAMILY, COMPLEXITY):
        if key.name not in table:
            tail = f"is missing; allowed is {key.allowed()} ({key.meaning})"
            problems.at((*here, key.name), f"{tail}, or function in place of both.")
    return Workload(
        table.get("family", FAMILIES[0]),
        table.get("complexity", COMPLEXITIES[0]),
        weight,
    )


def check_paths(values: dict[str, Any], folder: Path, problems: Problems) -> None:
    """Make the paths of ``values`` absolute, and add a problem for each that leads nowhere."""
    if "python_path" in values:
        path = Path(folder, values["python_path"])
        values["python_path"] = str(path.resolve())
        if not path.is_dir():
            tail = f"is {shown(str(path))}, which is no folder; name the one with your modules."
            problems.at(("python_path",), tail)
    if "interpreter" in values:
        path = Path(folder, values["interpreter"])
        # Not resolved: the Python of a virtual environment is a link, and finds it by its name.
        values["interpreter"] = str(path)
        if not path.is_file() or not os.access(path, os.X_OK):
            tail = f"is {shown(str(path))}, which is no program; name a Python (bin/python)."
            problems.at(("interpreter",), tail)


def check_setup_and_teardown(scenario: Scenario, problems: Problems) -> None:
    """Add a problem for a setup or teardown that the target does not call."""
    for name, text in (("setup", scenario.setup), ("teardown", scenario.teardown)):
        if not text or not problems.is_good((name,), ("target",)):
            continue
        if not target_facts(parse_target(scenario.target).name).functions:
            problems.at(
                (name,),
                f'is "{text}", which {scenario.target} does not call: it takes no functions; '
                'allowed with target = "callable" or "callable_async".',
            )


def check_workload_kinds(scenario: Scenario, problems: Problems) -> None:
    """Add a problem for functions for a target that plays families, and the other way round."""
    played: list[tuple[KeyPath, str]] = [(("target",), scenario.target)]
    played += [(("arm", i, "target"), arm.target) for i, arm in enumerate(scenario.arms)]
    sorts = {workload.sort for workload in scenario.workloads}
    if "requests" in sorts and len(sorts) > 1:
        problems.at((REQUESTS,), "are given beside [[workload]]; give one of the two.")
        return
    if len(sorts) > 1:
        problems.at(("workload",), "holds both functions and families; give one sort.")
        return
    for path, target in played:
        if not problems.is_good(path, ("workload",), (REQUESTS,)):
            continue
        plays = target_facts(parse_target(target).name).plays
        if sorts and sorts != {plays}:
            needed = _NEEDED[plays] if sorts == {"families"} else _TAKEN[sorts.pop()]
            problems.at(path, f'is "{target}", which {_PLAYS[plays]}; {needed}.')
