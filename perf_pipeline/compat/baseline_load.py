"""The load that a result file was measured with, to be measured again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.comparison.conditions import LOAD
from perf_pipeline.analysis.comparison.read_side import read_entries
from perf_pipeline.analysis.comparison.result_entries import conditions_in, label_of
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.config.scenario.builtin import find_scenario, open_scenario
from perf_pipeline.config.scenario.target_spec import parse_target, target_text, with_defaults
from perf_pipeline.config.wording import shown
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.scenario.scenario import Scenario

Entry = dict[str, Any]
_THINK_TIME = re.compile(r"think time ([0-9.e-]+) s")


def load_of(file: Path) -> tuple[str, Overrides]:
    """Return the scenario and the flags that measure again what a result file measured.

    The same levels, as often as in the file; target, settings, nodes, complexity, seed, length,
    think time and limits. The target has no version: another release of it is what a regression is
    about.

    Raises:
        RunFolderError: The file is missing or not JSON.
        ScenarioError: It is not a result file, or what it measured cannot be measured from flags.
    """
    entries = read_entries(file)
    if any(entry.get("open_loop") for entry in entries):
        raise _refused(file, "has open levels: run their scenario, then perf-pipeline compare")
    if any(label_of(entry) != str(entry["concurrency"]) for entry in entries):
        raise _refused(file, "has stages: run their scenario, then perf-pipeline compare")
    scenario = _scenario_of(file, entries)
    levels = tuple(dict.fromkeys(int(entry["concurrency"]) for entry in entries))
    counts = [sum(entry["concurrency"] == level for entry in entries) for level in levels]
    plain = open_scenario(scenario, overrides=Overrides(concurrency=levels))
    flags = Overrides(
        concurrency=levels,
        repeats=max(counts) if max(counts) != plain.repeats else None,
        **_changed(file, entries, plain),
    )
    _refuse_unlike(file, entries, open_scenario(scenario, overrides=flags))
    return scenario, flags


def _refused(file: Path, why: str) -> ScenarioError:
    return ScenarioError([f"--baseline {file} {why}."])


def _only(file: Path, key: str, entries: Sequence[Entry]) -> str:
    """Return the value that all levels have; empty where the file does not say it.

    Raises:
        ScenarioError: They differ.
    """
    values = dict.fromkeys(str(entry[key]) for entry in entries if entry.get(key))
    if len(values) > 1:
        raise _refused(file, f"has levels with {key} {' and '.join(map(shown, values))}")
    return next(iter(values), "")


def _scenario_of(file: Path, entries: Sequence[Entry]) -> str:
    """Return the scenario that was measured: its file where it has one, else its name.

    Raises:
        ScenarioError: It is neither there nor one of the project.
    """
    name = _only(file, "scenario", entries)
    stored = _only(file, "scenario_file", entries)
    if stored and Path(stored).is_file():
        return stored
    try:
        find_scenario(name)
    except ScenarioError as error:
        where = f"whose file {stored} is gone" if stored else "which is no scenario of the project"
        why = f"was measured with scenario {shown(name)}, {where}"
        raise _refused(file, f"{why}: run it, then perf-pipeline compare") from error
    return name


def _changed(file: Path, entries: Sequence[Entry], plain: Scenario) -> dict[str, Any]:
    """Return the flags without which the scenario would measure something else."""
    conditions = conditions_in(entries[0])
    target = _current(_only(file, "target", entries)) or plain.target
    wanted: dict[str, tuple[object, object]] = {
        "target": (target, plain.target),
        "nodes": (_only(file, "nodes", entries) or plain.nodes, plain.nodes),
        "complexity": (_complexity(entries), _complexity_of(plain)),
        "seed": (_number(conditions, "seed", ""), float(plain.seed)),
        "think_time_s": (_think_time_s(conditions), plain.think_time.mean_s),
        "duration": (_number(conditions, "phases", "steady_s"), float(plain.phases.steady_s)),
        "memory_limit_mb": (_number(conditions, "limits", "memory_mb"), plain.limits.memory_mb),
        "cpu_limit_percent": (
            _number(conditions, "limits", "cpu_percent"),
            plain.limits.cpu_percent,
        ),
        "processes": (
            _number(conditions, "processes", ""),
            float(processes_of(plain, read_machine_limits())),
        ),
    }
    found = {
        name: value for name, (value, own) in wanted.items() if value is not None and value != own
    }
    for name in ("seed", "processes"):
        if name in found:
            found[name] = int(found[name])  # type: ignore[call-overload]
    settings = _settings(conditions.get("settings", {}), target, plain)
    return {**found, **({"settings": settings} if settings else {})}


def _current(text: str) -> str:
    """Return a target without its version; a text that names none is refused as a flag is."""
    try:
        spec = parse_target(text)
    except ValueError:
        return text
    return target_text(spec.name, None, spec.packages)


def _complexity(entries: Sequence[Entry]) -> str | None:
    """Return the complexity that all workflows have; None where they differ, or have none."""
    names = {str(name) for entry in entries for name in entry.get("workflows") or ()}
    found = {name.partition("/")[2] for name in names}
    return next(iter(found)) if len(found) == 1 and found != {""} else None


def _complexity_of(scenario: Scenario) -> str | None:
    found = {workload.complexity for workload in scenario.workloads if workload.complexity}
    return next(iter(found)) if len(found) == 1 else None


def _think_time_s(conditions: Mapping[str, Mapping[str, str]]) -> float | None:
    """Return the mean think time of the levels; 0 without, None where the file does not say."""
    loads = conditions.get(LOAD, {}).values()
    found = {float(one[1]) if (one := _THINK_TIME.search(load)) else 0.0 for load in loads}
    return found.pop() if len(found) == 1 else None


def _number(conditions: Mapping[str, Mapping[str, str]], name: str, part: str) -> float | None:
    try:
        return float(conditions.get(name, {}).get(part, ""))
    except ValueError:
        return None


def _settings(stored: Mapping[str, str], target: str, plain: Scenario) -> tuple[str, ...]:
    """Return the settings of the target that differ from what the scenario gives it."""
    try:
        own = with_defaults(parse_target(target).name, dict(plain.settings))
    except ValueError:
        return ()
    return tuple(
        f"{name}={value.lower() if value in {'True', 'False'} else value}"
        for name, value in stored.items()
        if name in own and str(own[name]) != value
    )


def _refuse_unlike(file: Path, entries: Sequence[Entry], scenario: Scenario) -> None:
    """Refuse a file whose workflows the scenario does not have, before anything is measured.

    Raises:
        ScenarioError: With what the file has and what would be measured.
    """
    wanted = {workload.name for workload in scenario.workloads}
    for entry in entries:
        found = set(entry.get("workflows") or wanted)
        if found != wanted:
            raise _refused(
                file,
                f"was measured with workflows {', '.join(sorted(found))}; scenario "
                f"{shown(scenario.name)} has {', '.join(sorted(wanted))}: measure both sides "
                "yourself, then perf-pipeline compare",
            )
