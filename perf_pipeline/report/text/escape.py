"""Makes text of unknown origin safe to show: error messages, names, URLs.

A message of a server or a workflow may contain terminal escapes, characters that reverse the
line, half of a surrogate pair, or a megabyte of text. Invisible characters are spelled out, not
dropped; long text is cut, with the number of characters that are missing. A password in it becomes
``***``.
"""

from __future__ import annotations

import re

from perf_pipeline.redaction.redact import redacted

NAME_LENGTH_MAX = 80
TEXT_LENGTH_MAX = 600

_LOOK_AHEAD = 1000
"""How far a password may extend behind the place where a text is cut."""

_SPELLED_OUT = {"\n": " ⏎ ", "\r": "", "\t": " "}
_MARKDOWN = re.compile(r"([\\`*{}\[\]|~$])|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")

_FORMULA = re.compile(r"^(?=[=+@-])")
"""The first character of a formula, for readers who paste a table into a spreadsheet."""

_HTML = re.compile(r"<(?=[A-Za-z/!?])|&(?=[A-Za-z#])")


def visible(text: object, *, length_max: int = TEXT_LENGTH_MAX) -> str:
    r"""Return ``text`` on one line with every invisible character spelled out.

    Args:
        text: Any value; one that is not a string is converted by ``str``.
        length_max: Longer text is cut here, followed by the number of missing characters.

    Returns:
        Printable text that UTF-8 can hold: ESC becomes ``\x1b``, a line end ``⏎``.
    """
    whole = text if isinstance(text, str) else str(text)
    known = redacted(whole[: length_max + _LOOK_AHEAD])  # before it is cut: not half a password
    shown = "".join(_spell_out(character) for character in known[:length_max])
    cut = len(whole) - length_max
    return f"{shown}… ({cut:,} more characters)" if cut > 0 else shown


def name(text: object) -> str:
    """Return a short name, such as a level's label, as ``visible`` does."""
    return visible(text, length_max=NAME_LENGTH_MAX)


def markdown(text: str) -> str:
    """Return ``text`` escaped so that Markdown shows it literally, also inside a table."""
    inert = visible(text, length_max=10 * TEXT_LENGTH_MAX)
    inert = _MARKDOWN.sub(lambda match: "\\" + match.group(0), inert)
    inert = _FORMULA.sub("\\\\", inert)
    return _HTML.sub(lambda match: "&lt;" if match.group(0) == "<" else "&amp;", inert)


def _spell_out(character: str) -> str:
    if character in _SPELLED_OUT:
        return _SPELLED_OUT[character]
    if character.isprintable():
        return character
    point = ord(character)
    if point <= 0xFF:  # noqa: PLR2004 - what two hexadecimal digits can hold
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004 - four digits
