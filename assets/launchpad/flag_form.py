"""The launchpad's fields: those of a table of flags, and the folder of the runs.

The launchpad checks types and enumerations before it launches anything, and nothing else. So a
target, one text on the command line (``kailash==2.19.0+pandas``), has three fields here: its name,
which is an enumeration, its version and its packages.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, create_model

from perf_pipeline.config.duration import DEFAULT_WAIT
from perf_pipeline.config.flags.flag import Flag, flags_of
from perf_pipeline.config.scenario.target_spec import target_names, target_text
from perf_pipeline.config.settings import Settings, current_settings

Form = TypeVar("Form", bound=BaseModel)
RESULTS_DIR: Any = Field(
    default=None, description="Folder of the runs. Empty: PERF_PIPELINE_RESULTS or results/."
)

_TARGET = "target"
_OF_TARGET: dict[str, Any] = {
    "target_version": (
        str | None,
        Field(default=None, description='Release of the target\'s own package, such as "2.19.0".'),
    ),
    "target_packages": (
        list[str],
        Field(default=[], description='Packages beside it, such as "pandas" or "pandas==2.2.3".'),
    ),
}

WAIT: Any = Field(
    default=DEFAULT_WAIT,
    description="How long to wait for another load run on this host to end: 30s, 10m, 2h, or "
    "seconds; 0 for not at all.",
)


def settings_with(results_dir: str | None) -> Settings:
    """Return the settings, with the folder of the runs that was filled in."""
    settings = current_settings()
    return replace(settings, results_dir=Path(results_dir)) if results_dir else settings


def with_flags(
    table: type, flags: Sequence[Flag] | None = None
) -> Callable[[type[Form]], type[Form]]:
    """Give a Dagster config or resource a field for each flag.

    Args:
        table: A table of flags.
        flags: Those of its flags that the form has; None for all.
    """
    offered = flags_of(table) if flags is None else flags

    def give(form: type[Form]) -> type[Form]:
        fields: dict[str, Any] = {
            flag.field: (_type_of(flag), _description_of(flag)) for flag in offered
        }
        if _TARGET in fields:
            fields |= _OF_TARGET
        return create_model(
            form.__name__, __base__=form, __module__=form.__module__, __doc__=form.__doc__, **fields
        )

    return give


def flags_in(form: BaseModel, table: type, flags: Sequence[Flag] | None = None) -> Any:
    """Return what was filled in as the table; an empty field is a flag that was not given."""
    offered = flags_of(table) if flags is None else flags
    values = {flag.field: _flag_value(flag, getattr(form, flag.field)) for flag in offered}
    if values.get(_TARGET):
        filled_in: Any = form
        values[_TARGET] = target_text(
            values[_TARGET], filled_in.target_version, filled_in.target_packages
        )
    return table(**values)


def _flag_value(flag: Flag, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value) or None
    return value.value if isinstance(value, StrEnum) else flag.meant(value)


def _type_of(flag: Flag) -> Any:
    kinds: dict[str, type] = {"integer": int, "number": float}
    one = kinds.get(flag.key.kind, str) if flag.key else str
    if flag.is_time:
        return Any  # a number of seconds, or a text with a unit
    if flag.takes_many:
        return list[one]  # type: ignore[valid-type]
    if choices := _choices_of(flag):
        one = _choices_type(flag.field, choices)
    return one if flag.default is not None else one | None


def _choices_of(flag: Flag) -> tuple[str, ...]:
    return target_names() if flag.field == _TARGET else flag.choices


@cache
def _choices_type(name: str, choices: tuple[str, ...]) -> type[StrEnum]:
    """Return an enumeration: the launchpad offers its values, and takes no other."""
    enumeration: Any = StrEnum
    made: type[StrEnum] = enumeration(f"{name.title()}Choice", {one: one for one in choices})
    return made


def _description_of(flag: Flag) -> Any:
    if flag.takes_many:
        return Field(default=[], description=flag.help)
    if flag.field == _TARGET:
        return Field(default=None, description="What executes the workflows.")
    default: Any = flag.default
    if default is not None and flag.choices:
        default = _choices_type(flag.field, flag.choices)(default)
    return Field(default=default, description=flag.help)
