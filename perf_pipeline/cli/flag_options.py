"""The options of a command, made from a table of flags."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.cli.completion import OFFERS
from perf_pipeline.config.flags.flag import flags_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.flags.flag import Flag

Command = Callable[..., None]


def takes_flags(
    parameter: str, table: type, flags: Sequence[Flag] | None = None
) -> Callable[[Command], Command]:
    """Give a command an option for each flag, and hand it their values as one table.

    Values are taken as text, so that the checks of the table can name all that are wrong at once.

    Args:
        parameter: The command's parameter that takes the table; its options replace it.
        table: A table of flags.
        flags: Those of its flags that the command has; None for all.
    """
    offered = flags_of(table) if flags is None else flags

    def give(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)

        @wraps(command)
        def with_flags(**values: Any) -> None:
            given = {flag.field: flag_value(flag, values.pop(flag.field)) for flag in offered}
            command(**values, **{parameter: table(**given)})

        parameters: list[inspect.Parameter] = []
        for one in signature.parameters.values():
            parameters += map(_option, offered) if one.name == parameter else [one]
        shown = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
        with_flags.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
        with_flags.__annotations__ = {one.name: one.annotation for one in shown}
        return with_flags

    return give


def flag_value(flag: Flag, text: str | Sequence[str] | None) -> Any:
    """Return the value that a flag's text means; a text that is no number stays as it is.

    Returns:
        A tuple for a flag that takes several values; None where none was given.
    """
    if not text:
        return None if text is None or flag.takes_many else text
    if isinstance(text, str):
        return flag.meant(_number(text)) if flag.is_number else text
    return tuple(map(_number, text)) if flag.is_number else tuple(text)


def _number(text: str) -> int | float | str:
    for meaning in (int, float):
        try:
            return meaning(text)
        except ValueError:
            continue
    return text


def _option(flag: Flag) -> inspect.Parameter:
    option = typer.Option(
        flag.option,
        metavar=flag.metavar or None,
        help=flag.help,
        rich_help_panel=flag.group,
        autocompletion=OFFERS.get(flag.field) or _offer_choices(flag),
    )
    value: Any = list[str] | None if flag.takes_many else str | None
    return inspect.Parameter(
        flag.field,
        inspect.Parameter.KEYWORD_ONLY,
        default=flag.default,
        annotation=Annotated[value, option],
    )


def _offer_choices(flag: Flag) -> Callable[[str], list[str]] | None:
    """Return what completes a flag whose values are a closed list."""
    if not flag.choices:
        return None
    return lambda incomplete: [one for one in flag.choices if one.startswith(incomplete)]
