"""Tries a scenario's own functions in the target's interpreter, before any load starts.

Each is imported, and called, in a short-lived process with a worker's folder and environment
(``trial_process.py``). A module may want its servers when it is imported; where they do not run
yet, it gets addresses where no server answers, nothing is called, and what it raises then counts
as not tried, not as wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.environment.trial_process import CALL_S, IMPORT_S, TrialProcess
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.targets.target import ServerAccess, ServerAddress
from perf_pipeline.worker.runtime.trial_job import CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.environment.trial_process import TriedCall
    from perf_pipeline.servers.server import Server

_NOBODY = "127.0.0.1:1"
"""An address where no server answers."""

_MEASURE_ANYWAY = (
    "Correct it; or, to measure a target that fails, write trial_call = false in the scenario."
)


@dataclass(frozen=True)
class FunctionTrial:
    """The result of trying the functions.

    Attributes:
        good: Those that a worker can call, each ``module:function``.
        called: A sentence for each call that ended well.
        warnings: A sentence for each call that raised and refuses nothing.
        wrong: A sentence for each that no worker can call, or of which every call raised, with
            the reason and the place.
        not_tried: A sentence for each function that could not be tried, with the reason.
        hidden: A sentence for each file of the user's folder that cannot be imported, because a
            module of its name comes first.
    """

    good: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    not_tried: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

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
    servers: Iterable[Server] | None = None,
    calls: bool = False,
    notify: Callable[[str], None] = lambda _text: None,
    import_s: float = IMPORT_S,
    call_s: float = CALL_S,
) -> FunctionTrial:
    """Import every function of a scenario in each of its targets, and call it.

    Args:
        scenario: Checked; one without functions has nothing to try.
        pythons: Target's text to its interpreter; None, or missing, where it is not made yet.
        among: Targets to try them in; None for all of the scenario.
        servers: The servers of the scenario that run; None where they do not run yet.
        calls: Call the functions, unless the scenario needs servers that do not run.
        notify: Called with a line before something is called.
        import_s: How long the imports for one target may take.
        call_s: How long a call may take.
    """
    functions = [workload.family for workload in scenario.workloads]
    have_servers = servers is not None or not scenario.servers
    access = _access(scenario, servers)
    found = _Found()
    for target in function_targets(scenario):
        if among is not None and target not in among:
            continue
        python = pythons.get(target)
        if python is None:
            found.not_tried.append(
                f"{', '.join(functions)} not tried: the environment of {target} is not made yet; "
                "`perf-pipeline run` makes it and tries them before it starts anything."
            )
            continue
        trial = TrialProcess(scenario, target, python, access)
        if calls and have_servers:
            notify(trial.announcement())
        answer = trial.run(calls=calls and have_servers, import_s=import_s, call_s=call_s)
        found.hidden |= dict.fromkeys(answer.hidden)
        names = [*functions, *(one for one in (scenario.setup, scenario.teardown) if one)]
        for function, (result, sentence) in zip(names, answer.functions, strict=True):
            if result == "good":
                found.good[function] = None
            elif result == "wrong" or (result == "raised" and have_servers):
                found.wrong.append(_with_path(sentence, scenario.python_path))
            elif result == "raised":
                found.not_tried.append(f"{sentence} Not tried to its end, as no server runs yet.")
            else:
                found.not_tried.append(f"{function} not tried to its end: {sentence}")
        found.judge_calls(scenario, answer.calls)
    if calls and not have_servers and found.good:
        found.not_tried.append(
            f"{', '.join(functions)} not called: {', '.join(scenario.servers)} does not run yet; "
            "`perf-pipeline run` calls before the load, when its servers run."
        )
    return found.trial()


class _Found:
    """What trials in several targets found."""

    def __init__(self) -> None:
        self.good: dict[str, None] = {}
        self.wrong: list[str] = []
        self.not_tried: list[str] = []
        self.hidden: dict[str, None] = {}
        self.called: list[str] = []
        self.warnings: list[str] = []

    def judge_calls(self, scenario: Scenario, calls: list[TriedCall]) -> None:
        """Add what the calls of a trial mean.

        A setup that raises, and a function of which every call raises, are wrong. A function of
        which a later call ends well can be measured, and a teardown that raises costs no record.
        """
        raised: list[TriedCall] = []
        for call in calls:
            if call.not_ended:
                self.not_tried.append(f"{call.shown} not tried to its end: {call.not_ended}.")
            elif call.ended_process:
                self.wrong.append(f"{call.shown} {call.ended_process}. {_MEASURE_ANYWAY}")
            elif call.raised and call.shown == f"{scenario.setup}()":
                self.wrong.append(f"{call.shown}, the setup, raised {call.raised}.")
            elif call.raised and call.shown == f"{scenario.teardown}()":
                self.warnings.append(f"{call.shown}, the teardown, raised {call.raised}.")
            elif call.raised:
                raised.append(call)
                if len(raised) == CALLS:
                    self._all_raised(raised)
                    raised = []
            else:
                self.called.append(f"{call.shown}: called, ended after {1000 * call.took_s:.2g} ms")
                self.warnings += [
                    f"{one.shown} raised {one.raised}; {call.shown} ended well. Under load, such "
                    "a failure is counted."
                    for one in raised
                ]
                raised = []
        if raised:  # the functions could not be opened
            self._all_raised(raised)

    def _all_raised(self, calls: list[TriedCall]) -> None:
        last = calls[-1]
        again = f", as each of {len(calls)} calls raised" if len(calls) > 1 else ""
        self.wrong.append(f"{last.shown} raised {last.raised}{again}. {_MEASURE_ANYWAY}")

    def trial(self) -> FunctionTrial:
        """Return the result; no text of it has a password."""
        wrong = dict.fromkeys(self.wrong)
        if wrong and self.hidden:  # it may be why
            wrong |= self.hidden
        return FunctionTrial(
            good=tuple(self.good),
            wrong=tuple(map(redacted, wrong)),
            not_tried=tuple(map(redacted, self.not_tried)),
            hidden=tuple(self.hidden),
            called=tuple(self.called),
            warnings=tuple(map(redacted, self.warnings)),
        )


def _with_path(sentence: str, python_path: str | None) -> str:
    """Return the sentence with the folder that was looked in, unless it names a file there."""
    if python_path and python_path in sentence:
        return sentence
    return f"{sentence} (python_path: {python_path or 'not given'})"


def _processes(scenario: Scenario) -> int:
    """Return how many worker processes the first level has."""
    slots = [*scenario.concurrency, *(level.concurrency for level in scenario.levels)]
    slots += [arrivals.slots for arrivals in scenario.arrivals]
    slots += [max((stage.concurrency for stage in scenario.stages), default=1)]
    return min([processes_of(scenario, read_machine_limits()), *slots[:1]])


def _access(scenario: Scenario, servers: Iterable[Server] | None) -> ServerAccess:
    """Return what the functions find in their environment; without servers, where none answers."""
    if servers is None:
        examples = {name: SERVICES[name].example for name in scenario.servers}
        addresses = {
            name: ServerAddress(url._replace(netloc=f"perf:perf@{_NOBODY}").geturl())
            for name, url in examples.items()
        }
    else:
        addresses = {one.service: ServerAddress(one.url) for one in servers}
    return ServerAccess(
        addresses,
        connections=scenario.connections.max_db_connections // _processes(scenario),
        connection_timeout_s=scenario.connections.connection_timeout_s,
    )
