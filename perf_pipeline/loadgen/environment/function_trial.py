"""Tries a scenario's own functions in the target's interpreter, before servers and load start.

Each is imported in a short-lived process with a worker's environment, and none is called. A
module may want its servers when it is imported; they do not run yet, so it gets addresses where
no server answers, and what it raises then counts as not tried, not as wrong.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ScenarioError
from perf_pipeline.lifeline import bound_command
from perf_pipeline.loadgen.environment.user_code import user_code_of
from perf_pipeline.loadgen.supervise.last_words import last_words
from perf_pipeline.loadgen.supervise.worker_log import WorkerLog
from perf_pipeline.targets.target import ServerAccess, ServerAddress
from perf_pipeline.targets.user_function import server_environment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from perf_pipeline.config.scenario.scenario import Scenario

TRIAL_S = 30.0
"""A module may load a model; what takes longer counts as not tried."""

_NOBODY = "127.0.0.1:1"
"""An address where no server answers."""

_LOG_TAIL = 400


@dataclass(frozen=True)
class FunctionTrial:
    """The result of trying the functions.

    Attributes:
        good: Those that a worker can call, each ``module:function``.
        wrong: A sentence for each that no worker can call, with the reason and the path.
        not_tried: A sentence for each function that could not be tried, with the reason.
        hidden: A sentence for each file of the user's folder that cannot be imported, because a
            module of its name comes first.
    """

    good: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    not_tried: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    def refuse_wrong(self, file: str) -> None:
        """Refuse a scenario with a function that no worker can call.

        Args:
            file: What messages call the scenario.

        Raises:
            ScenarioError: With a sentence for each.
        """
        if self.wrong:
            raise ScenarioError([f"{file}: function {sentence}" for sentence in self.wrong])


def function_targets(scenario: Scenario) -> list[str]:
    """Return the targets, of levels and arms, that call functions of the user's."""
    if not any(workload.is_function for workload in scenario.workloads):
        return []
    played = dict.fromkeys([scenario.target, *(arm.target for arm in scenario.arms)])
    return [text for text in played if target_facts(parse_target(text).name).functions]


def try_functions(
    scenario: Scenario,
    pythons: Mapping[str, Path | None],
    *,
    among: Collection[str] | None = None,
    trial_s: float = TRIAL_S,
) -> FunctionTrial:
    """Import every function of a scenario in each of its targets.

    Args:
        scenario: Checked; one without functions has nothing to try.
        pythons: Target's text to its interpreter; None, or missing, where it is not made yet.
        among: Targets to try them in; None for all of the scenario.
        trial_s: How long the imports for one target may take.
    """
    functions = list(dict.fromkeys(workload.family for workload in scenario.workloads))
    good: dict[str, None] = {}
    wrong: list[str] = []
    not_tried: list[str] = []
    hidden: dict[str, None] = {}
    for target in function_targets(scenario):
        if among is not None and target not in among:
            continue
        python = pythons.get(target)
        if python is None:
            not_tried.append(
                f"{', '.join(functions)} not tried: the environment of {target} is not made yet; "
                "`perf-pipeline run` makes it and tries them before it starts anything."
            )
            continue
        answer = _tried(scenario, target, python, functions, trial_s)
        hidden |= dict.fromkeys(answer.hidden)
        for function, (result, sentence) in zip(functions, answer.functions, strict=True):
            if result == "good":
                good[function] = None
            elif result == "wrong" or (result == "raised" and not scenario.servers):
                wrong.append(_with_path(sentence, scenario.python_path))
            elif result == "raised":
                not_tried.append(f"{sentence} Not tried to its end, as no server runs yet.")
            else:
                not_tried.append(f"{function} not tried to its end: {sentence}")
    if wrong and hidden:  # it may be why
        wrong += hidden
    return FunctionTrial(tuple(good), tuple(dict.fromkeys(wrong)), tuple(not_tried), tuple(hidden))


def _with_path(sentence: str, python_path: str | None) -> str:
    """Return the sentence with the folder that was looked in, unless it names a file there."""
    if python_path and python_path in sentence:
        return sentence
    return f"{sentence} (python_path: {python_path or 'not given'})"


class _Answer(NamedTuple):
    """Result and sentence of each function, and the sentences about hidden files."""

    functions: list[tuple[str, str]]
    hidden: list[str]


def _tried(
    scenario: Scenario, target: str, python: Path, functions: list[str], trial_s: float
) -> _Answer:
    """Return the results on one target."""
    user_code = user_code_of(scenario, os.environ)
    form = parse_target(target).name
    with tempfile.TemporaryDirectory(prefix="perf_pipeline-") as home:  # as a worker has one
        answer, log = Path(home, "answer.json"), WorkerLog(Path(home, "log"))
        module, folder = "perf_pipeline.targets.try_functions", user_code.python_path or ""
        try:
            process = subprocess.Popen(
                bound_command(
                    user_code.command(python, module, str(answer), form, folder, *functions),
                    signal.SIGKILL,
                    os.getpid(),
                ),
                cwd=user_code.folder or home,
                env={**user_code.environment(home, os.environ), **_addresses(scenario)},
                stdin=subprocess.DEVNULL,
                stdout=log.write_end,
                stderr=log.write_end,
                start_new_session=True,
            )
        finally:
            log.started()
        try:
            process.wait(timeout=trial_s)
        except subprocess.TimeoutExpired:
            late = f"its import took longer than {trial_s:g} s"
            return _Answer([("late", late)] * len(functions), [])
        finally:
            _end(process)
            log.close()
        try:
            return _Answer(**json.loads(answer.read_text(encoding="utf-8")))
        except (OSError, json.JSONDecodeError):
            text = log.path.read_text(encoding="utf-8", errors="replace")
            tail = last_words(text, _LOG_TAIL)
            ended = f"importing them ended the process with exit code {process.returncode}"
            sentence = f"{', '.join(functions)}: {ended}" + (f": {tail}" if tail else "")
            return _Answer([("raised", sentence)] * len(functions), [])


def _addresses(scenario: Scenario) -> dict[str, str]:
    """Return the variables of the servers, with addresses where no server answers."""
    examples = {name: SERVICES[name].example for name in scenario.servers}
    addresses = {
        name: ServerAddress(url._replace(netloc=f"perf:perf@{_NOBODY}").geturl())
        for name, url in examples.items()
    }
    servers = ServerAccess(
        addresses,
        connections=scenario.connections.max_db_connections,
        connection_timeout_s=scenario.connections.connection_timeout_s,
    )
    return server_environment(servers)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started, however the wait for it ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
