"""Reads ``[[fault]]`` tables, and checks them against the failures that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS, FaultKind, FaultSetting
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.scenario.keys import FAULT, SETTINGS, Key
from perf_pipeline.config.wording import did_you_mean, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.config.scenario.positions import KeyPath
    from perf_pipeline.config.scenario.problems import Problems

_MEANING = "how hard the failure is"


def faults_of(
    tables: Sequence[dict[str, Any]], written: object, problems: Problems
) -> tuple[FaultWindow, ...]:
    """Make the fault windows of ``[[fault]]`` tables.

    Args:
        tables: Keys and values, which fit their keys already.
        written: The same tables as the document has them, with their settings.
        problems: Receives what the failure of a table does not take.
    """
    return tuple(
        _window(table, _settings_in(written, index), (FAULT, index), problems)
        for index, table in enumerate(tables)
    )


def server_problem(kind: FaultKind, server: str) -> str:
    """Return why a failure cannot be done to a server, as the tail of a sentence; empty if it can.

    Args:
        kind: The failure.
        server: A service; empty for none.
    """
    if not server:
        return f"is missing; {kind.name} is done to {listed(kind.servers)}." if kind.servers else ""
    if not kind.servers:
        return f"is {shown(server)}, but {kind.name} is a failure of the machine; leave it out."
    if server in kind.servers:
        return ""
    why = kind.not_on.get(server, "it does not exist there")
    return f"is {shown(server)}, where {kind.name} makes no sense: {why}."


def setting_problems(kind: FaultKind, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name of each wrong setting of a failure, and what is wrong: a sentence's tail."""
    wrong = {name for name, value in settings.items() if any(_alone(kind, name, value))}
    for name, value in settings.items():
        yield from ((name, text) for text in _alone(kind, name, value))
        limit = kind.settings[name].not_above if name in kind.settings else ""
        if not limit or wrong & {name, limit}:
            continue
        maximum = settings.get(limit, kind.settings[limit].default)
        if value > maximum:
            yield name, f"is {value:g}, above {limit}, {maximum:g}; allowed is at most that."


def _alone(kind: FaultKind, name: str, value: object) -> Iterator[str]:
    """Yield what is wrong with a setting whatever the others are."""
    setting = kind.settings.get(name)
    if setting is None:
        known = tuple(kind.settings)
        near = did_you_mean(name, known) if known else f"{kind.name} has no settings."
        yield f"is unknown; {near or f'{kind.name} has {listed(known)}.'}"
        return
    yield from (text for _, text in setting_key(name, setting).problems_of(value))


def setting_value(kind: FaultKind, name: str, value: SettingValue) -> SettingValue:
    """Return a setting that fits in the type of its default."""
    return float(value) if isinstance(kind.settings[name].default, float) else value


def setting_key(name: str, setting: FaultSetting) -> Key:
    """Return the row that checks a setting."""
    if setting.choices:
        return Key(name, "text", _MEANING, choices=setting.choices)
    kind = type(setting.default)
    if kind is bool:
        return Key(name, "boolean", _MEANING)
    low, high = setting.minimum or 0, setting.maximum or 0
    return Key(name, "integer" if kind is int else "number", _MEANING, low, high)


def _window(
    table: dict[str, Any], settings: object, here: KeyPath, problems: Problems
) -> FaultWindow:
    kind = FAULT_KINDS[table["kind"]]
    fitting: Mapping[str, SettingValue] = {}
    if problems.is_good(here, (*here, "kind")):
        if problems.is_good((*here, "server")) and (
            text := server_problem(kind, table.get("server", ""))
        ):
            problems.at((*here, "server"), text)
        fitting = _fitting(kind, settings, (*here, SETTINGS), problems)
    return FaultWindow(**{"server": "", **table}, settings=fitting)


def _settings_in(written: object, index: int) -> object:
    table = written[index] if isinstance(written, list) else {}
    return table.get(SETTINGS, {}) if isinstance(table, dict) else {}


def _fitting(
    kind: FaultKind, settings: object, here: KeyPath, problems: Problems
) -> dict[str, SettingValue]:
    if not isinstance(settings, dict):
        problems.at(here, f"is {shown(settings)}; allowed is a table of settings.")
        return {}
    wrong = list(setting_problems(kind, settings))
    for name, text in wrong:
        problems.at((*here, name), text)
    unfit = {name for name, _ in wrong}
    return {
        name: setting_value(kind, name, value)
        for name, value in settings.items()
        if name not in unfit
    }
