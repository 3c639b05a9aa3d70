"""What is the user's own in a worker process: its working folder, modules and variables."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.variables import Variables, variable_problems
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import ScenarioError
from perf_pipeline.redaction.redact import remember_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario

START = PROJECT / "perf_pipeline" / "worker" / "start.py"


@dataclass(frozen=True)
class UserCode:
    """What a process that runs a user's own code is started with.

    Attributes:
        folder: Its working folder, absolute; None for an empty folder of its own.
        python_path: Folder from which modules are imported, absolute; None for none.
        variables: What its environment has besides.
    """

    folder: str | None = None
    python_path: str | None = None
    variables: Variables = field(default_factory=Variables)

    def command(self, python: Path, module: str, *arguments: str) -> list[str]:
        """Return the command that runs a module of ours beside the user's own.

        Args:
            python: The target's interpreter.
            module: Has a function ``main(arguments) -> int``.
            arguments: What that function gets.
        """
        # -P: a module in the current folder must not shadow one of the target's. A relative
        # interpreter would be looked for in the working folder.
        start = [os.path.abspath(python), "-P", str(START)]  # noqa: PTH100 links stay: a venv is one
        return [*start, module, self.python_path or "", *arguments]

    def environment(self, home: Path | str, session: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of the process, made from nothing.

        ``CI`` or a coverage tool's variables change how kailash runs, and HOME is where it would
        keep its tracking database.

        Args:
            home: Folder of the process's own.
            session: Environment of the session that starts the run: what is passed through.
        """
        own = {"HOME": str(home), "LANG": "C.UTF-8", "PATH": os.defpath}
        return {**own, **self.variables.resolved(session)}


NO_USER_CODE = UserCode()


def at_start(folder: Path) -> UserCode:
    """Return what runs the ``sitecustomize.py`` of a folder before a worker, for our selftests."""
    path = os.pathsep.join(map(str, (PROJECT, folder)))
    return UserCode(variables=Variables({"PYTHONPATH": path}))


def user_code_of(scenario: Scenario, session: Mapping[str, str]) -> UserCode:
    """Return what is the user's own in the processes of a scenario.

    Functions work in the folder of the scenario's file, wherever the run is started from: the
    trial, cold starts and load find the same relative files. The families that come with us need
    no file, and work in an empty folder. Values that may be secret are removed from every text
    from now on.

    Args:
        scenario: Checked.
        session: Environment of the session that starts the run.

    Raises:
        ScenarioError: A variable may not be set, or is not there to be passed through.
    """
    wrong = [
        f"{scenario.name}: environment.{name} {problem}"
        for name, problem in variable_problems(scenario.variables, session)
    ]
    if wrong:
        raise ScenarioError(wrong)
    remember_secrets(scenario.variables.secrets(session))
    python_path = scenario.python_path and os.path.abspath(scenario.python_path)  # noqa: PTH100
    folder = None
    if any(workload.is_function for workload in scenario.workloads):
        folder = scenario.folder or python_path
    return UserCode(folder, python_path, scenario.variables)
