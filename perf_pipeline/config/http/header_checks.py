"""Checks the headers of a request: their secrets come from the environment alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perf_pipeline.config.http.http_request import VARIABLE
from perf_pipeline.config.scenario.variables import ENVIRONMENT, HIDDEN, PASS, shown_value
from perf_pipeline.config.wording import did_you_mean, shown, with_article

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perf_pipeline.config.scenario.variables import Variables

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""RFC 9110, section 5.6.2: a token."""

_SECRET = ("authorization", "proxy-authorization")
_OURS = {
    "connection": 'connection = "keep_alive" or "new" decides it',
    "content-length": "it follows from the body",
    "transfer-encoding": "it follows from the body",
}


def header_problems(
    headers: Mapping[str, object], variables: Variables, session: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield name and problem of each header that is wrong; no problem holds a value.

    Args:
        headers: As the file has them.
        variables: Those that a value may name: the ones that are passed through.
        session: Environment of the session that reads the file.
    """
    met: dict[str, str] = {}
    for name, value in headers.items():
        known = name.lower()
        if not _NAME.fullmatch(name):
            yield name, "is no name of a header: letters, digits and -."
        elif known in _OURS:
            yield name, f"may not be given: {_OURS[known]}."
        elif known in met:
            yield name, f"is given as {met[known]} as well; keep one."
        met[known] = name
        if not isinstance(value, str):
            kind = with_article(type(value).__name__)
            yield name, f'is {kind}; a value is a text, written {name} = "...".'
        elif not is_sendable(value):
            yield name, "holds a line break or a letter outside of Latin-1, which no header can."
        else:
            for problem in _variable_problems(name, value, variables, session):
                yield name, problem


def is_sendable(value: str) -> bool:
    """Return whether a text may be the value of a header: nothing in it ends the header."""
    return value.isprintable() and all(ord(letter) <= 255 for letter in value)  # noqa: PLR2004 - Latin-1


def _variable_problems(
    name: str, value: str, variables: Variables, session: Mapping[str, str]
) -> Iterator[str]:
    named = VARIABLE.findall(value)
    is_secret = name.lower() in _SECRET or shown_value(name.replace("-", "_"), "") == HIDDEN
    if is_secret and not named:
        yield (
            "holds a secret in the file; name a variable of your session in its place, such as "
            f'{name} = "${{MY_SECRET}}", and pass it: [{ENVIRONMENT}] {PASS} = ["MY_SECRET"].'
        )
    for variable in dict.fromkeys(named):
        if variable not in variables.passed:
            near = did_you_mean(variable, variables.passed)
            yield (
                f"names {shown(variable)}, which [{ENVIRONMENT}] does not pass; add it: {PASS} = "
                f"[{shown(variable)}]{f' ({near})' if near else ''}."
            )
        elif not is_sendable(session.get(variable, "")):
            yield (
                f"names {variable}, whose value in this session holds a line break or a letter "
                "outside of Latin-1, which no header can."
            )
