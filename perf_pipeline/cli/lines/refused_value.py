"""What is wrong with the value of an option: the value and what is allowed.

typer's own sentence ("Input should be less than or equal to 65535") has neither the value nor the
other limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.cli.lines.terminal import inert

if TYPE_CHECKING:
    import typer

_KINDS = ((int, "an integer"), (float, "a number"))
_OF_CHOICES = "Value error, "


def explain_refused_value(error: typer.TyperException) -> None:
    """Let an error about a value name the value and its limits.

    Args:
        error: Of typer, which reads values with pydantic; another error is left as it is.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - typer has it by now, if it read a value

    if not isinstance(error.__cause__, ValidationError):
        return
    if error.message.startswith(_OF_CHOICES):  # it names the value and all that are allowed
        error.message = error.message.removeprefix(_OF_CHOICES)
        return
    found = error.__cause__.errors()[0]
    allowed = _allowed(getattr(error, "param", None)) or found["msg"]
    error.message = f"it is {inert(str(found['input']))}; allowed is {allowed}"


def _allowed(param: object) -> str:
    """Return what a number may be; empty for what is none."""
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    kind = next((name for type_, name in _KINDS if annotation is type_), None)
    if kind is None:
        return ""
    minimum, maximum = getattr(param, "min", None), getattr(param, "max", None)
    if minimum is not None and maximum is not None:
        return f"{kind} from {minimum:g} to {maximum:g}"
    if minimum is not None:
        return f"{kind} of at least {minimum:g}"
    return kind if maximum is None else f"{kind} of at most {maximum:g}"
