"""From the text of a scenario file to a ``Scenario``, or every problem at once.

Three steps: TOML to values with lines, values to a scenario by the table of ``keys.py``, and
checks of the values against each other and this machine (``consistency.py``). The
flags of ``run`` replace values between the second and the third, so that a flag can make a
scenario fit a smaller machine, but cannot hide a wrong key.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.endurance.endurance import TABLE as ENDURANCE
from perf_pipeline.config.endurance.endurance import Endurance
from perf_pipeline.config.fault.fault_table import faults_of
from perf_pipeline.config.flags.apply import apply_overrides, drop_pointless_arms
from perf_pipeline.config.flags.flag import check_flags
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.http.host_checks import check_hosts, with_own_hosts
from perf_pipeline.config.http.request_table import REQUESTS, requests_of
from perf_pipeline.config.level.named_level import LEVEL_TABLE, levels_of
from perf_pipeline.config.names import allowed, is_name
from perf_pipeline.config.scenario.arrivals import arrivals_of, with_length
from perf_pipeline.config.scenario.consistency import (
    check_consistency,
    check_duplicates,
)
from perf_pipeline.config.scenario.key_names import key_name
from perf_pipeline.config.scenario.keys import (
    FAULT,
    LEVEL,
    MAX_LIST_LENGTH,
    REPEATED,
    SECTIONS,
    SETTINGS,
    TOP,
    Key,
)
from perf_pipeline.config.scenario.named_fields import name_fields
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.config.scenario.scenario import (
    Arm,
    ConnectionPools,
    Phases,
    Scenario,
    Stop,
    WorkerLimits,
)
from perf_pipeline.config.scenario.scenario_file import load_document, read_text
from perf_pipeline.config.scenario.stages import stages_of
from perf_pipeline.config.scenario.streams import with_streams_together
from perf_pipeline.config.scenario.target_settings import check_settings
from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.config.scenario.user_code import check_paths, workload_of
from perf_pipeline.config.scenario.variables import ENVIRONMENT, check_variables
from perf_pipeline.config.slo.slo_tables import SLO, check_slos
from perf_pipeline.config.think_time import ThinkTime
from perf_pipeline.config.wording import did_you_mean, listed, shown
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.positions import KeyPath


def read_scenario(
    path: Path, machine: MachineLimits, overrides: Overrides | None = None
) -> Scenario:
    """Read a scenario from a TOML file; its name is the file's stem.

    Raises:
        ScenarioError: With every problem of the file and of the flags.
    """
    try:
        text = read_text(path)
    except ScenarioError as error:
        problems = Problems(str(path))
        check_flags(overrides or Overrides(), problems)
        raise ScenarioError([*error.problems, *problems.sentences()]) from error
    folder = path.absolute().parent
    return parse_scenario(text, path.stem, machine, overrides, file=str(path), folder=folder)


def parse_scenario(
    text: str,
    name: str,
    machine: MachineLimits,
    overrides: Overrides | None = None,
    *,
    file: str | None = None,
    folder: Path | None = None,
    session: Mapping[str, str] | None = None,
) -> Scenario:
    """Make a scenario of a TOML text.

    Args:
        text: The TOML text.
        name: The scenario's name.
        machine: Limits of this machine; levels above them are problems.
        overrides: Flags of ``run`` that replace values of the text.
        file: What messages call the text; by default ``<name>.toml``.
        folder: Where relative paths of the text begin; None for the current folder.
        session: Variables that may be passed through; None for those of this process.

    Raises:
        ScenarioError: With every problem, one sentence each, in the order of the text.
    """
    overrides = overrides or Overrides()
    problems = Problems(file or f"{name}.toml")
    if not is_name("scenario name", name):
        problems.file_as_a_whole(
            f"{problems.file}: the scenario's name is {shown(name)}; allowed are "
            f"{allowed('scenario name')} (it becomes part of file names); rename the file."
        )
    check_flags(overrides, problems)
    document = load_document(text, problems)
    if document is not None:
        name_fields(document, problems)
        session = os.environ if session is None else session
        scenario = _build(document, name, folder or Path.cwd(), session, problems)
        check_duplicates(scenario, problems)
        slos = check_slos(document.get(SLO, []), scenario, problems)
        scenario = replace(scenario, slos=slos)
        scenario = apply_overrides(scenario, overrides, problems)
        check_consistency(scenario, machine, problems)
        check_hosts(scenario, problems)
        if not problems.sentences():
            scenario = with_own_hosts(drop_pointless_arms(scenario, overrides))
            return with_streams_together(scenario)
    raise ScenarioError(problems.sentences())


def _build(
    document: dict[str, Any],
    name: str,
    folder: Path,
    session: Mapping[str, str],
    problems: Problems,
) -> Scenario:
    """Take every value that fits its key, and add a problem for each of the others.

    A value that does not fit is replaced by one that does, so that later checks find the
    other problems; a scenario with a problem is never used.
    """
    values = _table(document, (), TOP, problems)
    phases, think_time, connections, limits, stop = (
        _section(document, section, problems) for section in SECTIONS if section != ENDURANCE
    )
    # Its keys are required where it is given, so it is read only there.
    endurance = _section(document, ENDURANCE, problems) if ENDURANCE in document else None
    workloads, arms, stages, arrivals, levels, faults, requests = (
        _repeated(document, section, problems) for section in REPEATED
    )
    target = values.get("target", Scenario.target)
    if not workloads and not requests and problems.is_good(("workload",), (REQUESTS,)):
        needed = "workload", "[[workload]] with family and complexity"
        if target_facts(parse_target(target).name).requests:
            needed = REQUESTS, "[[requests]] with name and url"
        problems.at((needed[0],), f"is missing; give at least one {needed[1]}.")
    if "concurrency" not in values:
        values["concurrency"] = ()
        has_load = arrivals or stages or levels or endurance is not None
        if not has_load and problems.is_good(("arrivals",), (LEVEL_TABLE,)):
            tail = f"is missing; allowed is {LEVEL.allowed()} ({LEVEL.meaning})"
            problems.at(
                ("concurrency",),
                f"{tail}, or give open levels, each [[arrivals]], or stages, each [[stage]], or "
                "levels with bounds of their own, each [[level]].",
            )
    check_paths(values, folder, problems)
    lengths = Phases(**phases)
    settings = check_settings(document.get(SETTINGS, {}), target, (SETTINGS,), problems)
    variables = check_variables(document.get(ENVIRONMENT, {}), session, problems)
    return Scenario(
        name=name,
        phases=lengths,
        think_time=ThinkTime(**think_time),
        connections=ConnectionPools(**connections),
        limits=WorkerLimits(**limits),
        stop=Stop(**stop),
        endurance=None if endurance is None else Endurance(**endurance),
        workloads=(
            *(workload_of(table, at, folder, problems) for at, table in enumerate(workloads)),
            *requests_of(requests, variables, session, problems),
        ),
        arms=tuple(_arm(table, document["arm"][at], at, problems) for at, table in enumerate(arms)),
        arrivals=tuple(
            replace(
                arrivals_of(
                    with_length(table, lengths.warm_up_s, lengths.steady_s, at, problems),
                    at,
                    folder,
                    problems,
                ),
                settings=_settings_of(document["arrivals"][at]),
            )
            for at, table in enumerate(arrivals)
        ),
        stages=stages_of(stages),
        levels=levels_of(levels),
        faults=faults_of(faults, document.get(FAULT), problems),
        settings=settings,
        folder=str(folder),
        variables=variables,
        **values,
    )


def _arm(table: dict[str, Any], written: object, index: int, problems: Problems) -> Arm:
    given = written.get(SETTINGS, {}) if isinstance(written, dict) else {}
    here = ("arm", index, SETTINGS)
    return Arm(**table, settings=check_settings(given, table["target"], here, problems))


def _settings_of(written: object) -> dict[str, Any]:
    """Return the settings of an open level; they are checked with its target, after the flags."""
    settings = written.get(SETTINGS, {}) if isinstance(written, dict) else {}
    return settings if isinstance(settings, dict) else {}


def _section(document: dict[str, Any], name: str, problems: Problems) -> dict[str, Any]:
    table = document.get(name, {})
    if isinstance(table, dict):
        return _table(table, (name,), SECTIONS[name], problems)
    problems.at((name,), f"is {shown(table)}; allowed is one table, written [{name}].")
    return {key.name: key.stand_in() for key in SECTIONS[name] if key.is_required}


def _repeated(document: dict[str, Any], name: str, problems: Problems) -> list[dict[str, Any]]:
    tables = document.get(name, [])
    if not isinstance(tables, list) or len(tables) > MAX_LIST_LENGTH:
        problems.at(
            (name,),
            f"is {shown(tables)}; allowed are at most {MAX_LIST_LENGTH} tables, each written "
            f"[[{name}]].",
        )
        return []
    checked = []
    for index, table in enumerate(tables):
        here: KeyPath = (name, index)
        if isinstance(table, dict):
            checked.append(_table(table, here, REPEATED[name], problems))
        else:
            problems.at(here, f"is {shown(table)}; allowed is a table, written [[{name}]].")
            checked.append({key.name: key.stand_in() for key in REPEATED[name]})
    return checked


def _table(
    table: dict[str, Any], path: KeyPath, keys: tuple[Key, ...], problems: Problems
) -> dict[str, Any]:
    """Check the keys of one table; return a value for each key that is there or must be."""
    known = [key.name for key in keys] + (
        [] if path else [*SECTIONS, *REPEATED, SETTINGS, ENVIRONMENT, SLO]
    )
    known += [SETTINGS] if path[:1] in {("arm",), ("arrivals",), (FAULT,)} else []
    section = str(path[0]) if path else ""
    names = [key_name(section, name) for name in known]
    for name in table:
        if name not in known:
            problems.at((*path, name), f"is unknown; {_hint(name, names)}")
    values = {}
    for key in keys:
        here = (*path, key.name)
        if key.name in table:
            values[key.name] = _value(key.meant(table[key.name]), here, key, problems)
        elif key.is_required:
            problems.at(here, f"is missing; allowed is {key.allowed()} ({key.meaning}).")
            values[key.name] = () if key.takes_many else key.stand_in()
    return values


def _value(value: Any, path: KeyPath, key: Key, problems: Problems) -> Any:
    """Return the value as in a scenario, without the parts that have a problem."""
    wrong = set()
    for where, text in key.problems_of(value):
        problems.at((*path, *where), text)
        wrong.add(where)
    if key.takes_many:
        return () if () in wrong else tuple(v for i, v in enumerate(value) if (i,) not in wrong)
    if wrong:
        return key.stand_in()
    return float(value) if key.kind == "number" else value


def _hint(name: str, known: list[str]) -> str:
    """Return where an unknown key belongs, what was meant, or which keys there are."""
    homes = {"at the top of the file": ("", TOP)}
    homes |= {f"in [{section}]": (section, keys) for section, keys in SECTIONS.items()}
    homes |= {f"in [[{section}]]": (section, keys) for section, keys in REPEATED.items()}
    places = [
        home
        for home, (section, keys) in homes.items()
        if any(name in (key.name, key_name(section, key.name)) for key in keys)
    ]
    if places:
        return f"it belongs {listed(places)}."
    return did_you_mean(name, known) or f"known here are {listed(known)}."
