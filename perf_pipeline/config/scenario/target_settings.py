"""Checks the options of a target by the rows of its ``target.toml``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.config.scenario.keys import SETTINGS, Key
from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.config.wording import did_you_mean, listed, shown

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.positions import KeyPath
    from perf_pipeline.config.scenario.problems import Problems

MAX_INTEGER = 10**12


def setting_keys(target: str) -> dict[str, Key]:
    """Return the name of each option of a target to its row.

    Args:
        target: A target's text that ``parse_target`` takes.
    """
    rows = target_facts(parse_target(target).name).settings
    return {
        name: Key(
            name,
            row["kind"],
            row["meaning"],
            row.get("low", 0),
            row.get("high", MAX_INTEGER),
            tuple(row.get("choices", ())),
        )
        for name, row in rows.items()
    }


def check_settings(table: object, target: str, here: KeyPath, problems: Problems) -> dict[str, Any]:
    """Return the settings that fit, and add a problem for each of the others."""
    if not isinstance(table, dict):
        problems.at(here, f"is {shown(table)}; allowed is a table of the target's settings.")
        return {}
    keys = setting_keys(target)
    fitting = {}
    for name, value in table.items():
        key = keys.get(name)
        if key is None:
            problems.at((*here, name), f"is unknown; {_hint(name, target, tuple(keys))}")
            continue
        wrong = [text for _, text in key.problems_of(value)]
        for text in wrong:
            problems.at((*here, name), text)
        if not wrong:
            fitting[name] = float(value) if key.kind == "number" else value
    return fitting


def flag_settings(
    texts: tuple[str, ...], target: str, problems: Problems, option: str = "--setting"
) -> dict[str, Any]:
    """Read ``NAME=VALUE`` texts of a flag; add a problem for each that does not fit."""
    keys, fitting = setting_keys(target), {}
    for text in texts:
        name, separator, value = text.partition("=")
        key = keys.get(name)
        if not separator or key is None:
            known = tuple(keys)
            unknown = f"is unknown; {_hint(name, target, known)}"
            why = unknown if separator else "is not NAME=VALUE, such as enable_monitoring=true."
            problems.flag(f"{option} {shown(text)}", why)
            continue
        meant = _meant(value, key)
        wrong = [tail for _, tail in key.problems_of(meant)]
        for tail in wrong:
            problems.flag(f"{option} {name}", tail)
        if not wrong:
            fitting[name] = float(meant) if key.kind == "number" else meant
    return fitting


def _meant(text: str, key: Key) -> Any:
    """Return what a flag's text means for a key; a text that fits no kind stays text."""
    if key.kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if key.kind in {"integer", "number"}:
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
    return text


def _hint(name: str, target: str, known: tuple[str, ...]) -> str:
    if not known:
        return f"{parse_target(target).name} has no {SETTINGS}."
    return did_you_mean(name, known) or f"{target} has the {SETTINGS} {listed(known)}."
