"""A flag: how it is written, what it takes, what it means, and where its value goes.

A table of flags is a frozen dataclass whose every field is made by ``flag``. The options of the
commands, the launchpad's form, the checks and the keywords of ``open_scenario`` are made from it,
so that a new flag is one field of one table.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from perf_pipeline.config.wording import did_you_mean, listed, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from _typeshed import DataclassInstance

    from perf_pipeline.config.scenario.keys import Key
    from perf_pipeline.config.scenario.problems import Problems

Given = TypeVar("Given", bound="DataclassInstance")

Group = Literal["Load", "Target", "Measurement", "Limits and objectives", "Search", "Comparison"]
"""Heading under which ``--help`` lists a flag."""


@dataclass(frozen=True)
class Flag:
    """One flag of the commands ``run``, ``capacity`` and ``ab``.

    Attributes:
        field: Field of the table that holds its value.
        option: How the command line spells it: ``--duration``.
        meaning: What it sets, with its unit; a phrase without its full stop.
        group: Heading in ``--help``.
        key: The values that it takes, and what errors say about others. None for texts with a
            syntax of their own (``--setting``, ``--slo``), which may be repeated and are checked
            where they are read.
        metavar: Placeholder of its value in ``--help``.
        path: Where its value goes in a ``Scenario``: ``("limits", "memory_mb")``. Empty for a flag
            from which more follows; ``apply.py`` has its rule.
        default: Value where it is not given.
        earlier: Name of its field before; Python code may still use it.
        is_for_capacity: The command ``capacity`` has it too.
    """

    field: str
    option: str
    meaning: str
    group: Group
    key: Key | None
    metavar: str
    path: tuple[str, ...]
    default: str | None
    is_for_capacity: bool
    earlier: str = ""

    @property
    def takes_many(self) -> bool:
        """True when it takes several values."""
        return self.key is None or self.key.takes_many

    @property
    def choices(self) -> tuple[str, ...]:
        """The only values that it takes; empty if they are not a closed list."""
        return () if self.key is None else tuple(self.key.choices)

    @property
    def is_number(self) -> bool:
        """True when its values are integers or numbers."""
        return self.key is not None and self.key.kind in {"integer", "number"}

    @property
    def help(self) -> str:
        """Its meaning and its choices, as a sentence."""
        return f"{self.meaning}: {listed(self.choices)}." if self.choices else f"{self.meaning}."

    @property
    def is_time(self) -> bool:
        """True when it takes a length of time: seconds, or a text like ``30s``."""
        return self.key is not None and self.key.is_time

    def meant(self, value: object) -> object:
        """Return a length of time in seconds; any other value as it is."""
        return value if self.key is None else self.key.meant(value)

    def problems_of(self, value: object) -> Iterator[str]:
        """Yield what is wrong with a value, each the tail of a sentence; nothing if it fits."""
        if self.key is None or value is None:
            return
        for where, text in self.key.problems_of(value):
            item = value[where[0]] if where and isinstance(value, (list, tuple)) else None
            yield text + _hint_for_commas(item)


def flag(
    option: str,
    key: Key | None,
    meaning: str,
    group: Group,
    *,
    metavar: str = "",
    path: tuple[str, ...] = (),
    default: str | None = None,
    is_for_capacity: bool = False,
    earlier: str = "",
) -> Any:
    """Make the field of a table that holds a flag; the arguments are attributes of ``Flag``."""
    made = Flag("", option, meaning, group, key, metavar, path, default, is_for_capacity, earlier)
    return field(default=default, metadata={"flag": made})


def flags_of(table: type) -> tuple[Flag, ...]:
    """Return the flags of a table, in the order of its fields."""
    return tuple(replace(one.metadata["flag"], field=one.name) for one in fields(table))


def flag_values(table: type, values: Mapping[str, object]) -> dict[str, Any]:
    """Return values by field as a table takes them: lists as tuples, a single value as one.

    Args:
        table: A table of flags.
        values: Field to value, as Python code gives them.

    Raises:
        TypeError: A name is no field of the table (the text names the nearest one), or a value is
            given under two names.
    """
    flags = {one.field: one for one in flags_of(table)}
    named = {**flags, **{one.earlier: one for one in flags.values() if one.earlier}}
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in named:
            near = did_you_mean(name, tuple(flags)) or f"known are {listed(tuple(flags))}"
            raise TypeError(f"{printable(name)!r} is no value that can be overridden; {near}")
        one = named[name]
        if one.field in found:
            raise TypeError(f"{one.field} is given twice, as {one.earlier} as well; keep one")
        found[one.field] = _as_tuple(one, one.meant(value))
    return found


def check_flags(given: DataclassInstance, problems: Problems) -> None:
    """Add a problem for every value of a table that does not fit its flag."""
    for one in flags_of(type(given)):
        for text in one.problems_of(getattr(given, one.field)):
            problems.flag(one.option, text)


def fitting_flags(given: Given) -> Given:
    """Return a table without the values that do not fit their flags."""
    wrong: dict[str, Any] = {
        one.field: one.default
        for one in flags_of(type(given))
        if any(True for _ in one.problems_of(getattr(given, one.field)))
    }
    return replace(given, **wrong)


def _as_tuple(one: Flag, value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    if one.takes_many and value is not None and not isinstance(value, tuple):
        return (value,)
    return value


def _hint_for_commas(value: object) -> str:
    """Return a hint for several values written as one, such as ``5,10``."""
    parts = value.replace(",", " ").split() if isinstance(value, str) and "," in value else ()
    return f" Several are written with blanks: {printable(' '.join(parts[:4]))}." if parts else ""
