"""What ``--fault`` changes in a scenario.

- ``--fault KIND:SERVER:AT:DURATION`` takes the place of the scenario's fault windows, in every
  closed and open level; a failure of the machine is ``KIND:AT:DURATION``. Settings come last:
  ``network_latency:postgres:10s:3s:latency_ms=100,jitter_ms=20``.
- ``--fault none`` leaves them out.
- Without it, the windows of levels that other flags have left out are left out too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.duration import seconds_in
from perf_pipeline.config.fault.fault_checks import faults_of_levels
from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.fault.fault_table import (
    server_problem,
    setting_problems,
    setting_value,
)
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.scenario.keys import FAULT, REPEATED
from perf_pipeline.config.wording import did_you_mean, listed, shown

if TYPE_CHECKING:
    from perf_pipeline.config.fault.fault_kinds import FaultKind
    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario

_OPTION = "--fault"
_FORM = "KIND:SERVER:AT:DURATION, such as server_freeze:postgres:10s:3s"
NONE = "none"


def with_faults(
    scenario: Scenario, given: Overrides, problems: Problems, before: Scenario
) -> Scenario:
    """Return the scenario with the fault windows of the flags, or those of its levels.

    Args:
        scenario: With the other flags in place.
        given: The flags.
        problems: Receives what is wrong with them.
        before: The scenario without any flag.
    """
    if given.faults is None:
        return replace(scenario, faults=faults_of_levels(scenario, before))
    problems.replaced((FAULT,), _OPTION)
    texts = given.faults
    if NONE in texts and len(texts) > 1:
        problems.flag(_OPTION, f"is {NONE}, and a failure; keep one of them.")
    found = (fault_of(text, problems) for text in texts if text != NONE)
    return replace(scenario, faults=tuple(one for one in found if one is not None))


def fault_of(text: str, problems: Problems) -> FaultWindow | None:
    """Read one ``--fault``; None, with its problems added, if it does not fit."""
    name, *parts = text.split(":")
    kind = FAULT_KINDS.get(name)
    if kind is None:
        near = did_you_mean(name, tuple(FAULT_KINDS)) or f"known are {listed(tuple(FAULT_KINDS))}."
        problems.flag(_OPTION, f"is {shown(text)}, which is no failure; {near}")
        return None
    server = parts.pop(0) if kind.servers and parts else ""
    times = [seconds_in(part) for part in parts[:2]]
    if len(times) != 2 or None in times or len(parts) > 3:  # noqa: PLR2004 - begin, length, settings
        form = _FORM if kind.servers else f"KIND:AT:DURATION, such as {name}:10s:3s"
        problems.flag(_OPTION, f"is {shown(text)}; allowed is {form}.")
        return None
    at_s, duration_s = (float(time or 0) for time in times)
    settings = _settings(parts[2]) if parts[2:] else {}
    wrong = list(_problems(kind, server, at_s, duration_s, settings))
    for tail in wrong:
        problems.flag(_OPTION, f"is {shown(text)}, where {tail}")
    if wrong:
        return None
    fitting = {key: setting_value(kind, key, value) for key, value in settings.items()}
    return FaultWindow(name, server, at_s, duration_s, fitting)


def _problems(
    kind: FaultKind, server: str, at_s: float, duration_s: float, settings: dict[str, SettingValue]
) -> list[str]:
    """Return what is wrong with the parts, by the rows that check a ``[[fault]]`` table."""
    keys = {key.name: key for key in REPEATED[FAULT]}
    found = [f"the server {text}"] if (text := server_problem(kind, server)) else []
    for name, value in (("at_s", at_s), ("duration_s", duration_s)):
        found += [f"{name} {tail}" for _, tail in keys[name].problems_of(value)]
    return found + [f"{name} {tail}" for name, tail in setting_problems(kind, settings)]


def _settings(text: str) -> dict[str, SettingValue]:
    pairs = (pair.partition("=") for pair in text.split(","))
    return {name: _meant(value) for name, _, value in pairs}


def _meant(text: str) -> SettingValue:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text, text)
