"""Removes secrets that are recognised by their context: logins in URLs, and named passwords.

These are secrets that nobody told us: of a database that the target connects to by itself, say.
What repeats is bounded: a target's error may be a megabyte, and a worker waits for this.

Standard library only: the worker imports this.
"""

from __future__ import annotations

import re

HIDDEN = "***"

_QUOTED = r"""(?:\\"[^"\\]*\\"|b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*')"""
_NAME = r"(?:passw(?:or)?d|passphrase|pwd|secret|api[-_]?key|auth[-_]?token|access[-_]?token)"

_LOGIN = re.compile(
    r"""
    (?P<scheme>[a-z][a-z0-9+.-]{0,20}://)(?P<user>[^\s:/@"'<>\[]{0,200}):
    (?!password@)                            # the placeholder of our own examples
    [^\s"'<>]{0,4000}@                              # up to the last @: a password may hold one
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CUT_LOGIN = re.compile(
    r"""(?P<scheme>[a-z][a-z0-9+.-]{0,20}://)(?P<user>[^\s:/@"'<>\[]{1,200}):"""
    r"""(?!password@|\*\*\*|port\b|\d{1,5}(?![^\s/?#,;:.)\]}>"'`]))[^\s"'<>]+""",
    re.IGNORECASE,
)
"""A login whose end is missing: what follows the colon is no port."""

_NAMED = re.compile(
    rf"""(?P<name>{_NAME}\w{{0,40}}\b\\?["']?\s*[=:]\s*)(?!\*\*\*|["']?(?:YES|NO|None)\b)"""
    rf"""(?:{_QUOTED}|\\?[^\s&,;)\]}}"'\\]+)""",
    re.IGNORECASE,
)
_QUOTING = re.compile(
    r"(?P<before>Port could not be cast to integer value as |percent-encoded token:? |"
    r"IDENTIFIED BY |\bPASSWORD |requirepass |invalid (?:integer value|port number):? )" + _QUOTED,
    re.IGNORECASE,
)
"""Messages that quote a piece of a URL that could not be read, which may be of its password."""

_LONE_PASSWORD = re.compile(
    r"(?P<scheme>\brediss?://)(?!\*\*\*)[^\s:/@\"'<>]{1,4000}@", re.IGNORECASE
)
"""A Redis has no users without a password: what stands alone before the @ is meant as one."""

_AUTHORIZATION = re.compile(
    r"(?P<name>\bAuthorization\\?[\"']?\s*[:=]\s*\\?[\"']?(?:\w+ )?)[\w.+/=~-]+", re.IGNORECASE
)


def without_known_forms(text: str) -> str:
    """Return a text with passwords as ``***`` where their context shows what they are."""
    if "://" in text:
        text = _LOGIN.sub(rf"\g<scheme>\g<user>:{HIDDEN}@", text)
        text = _CUT_LOGIN.sub(rf"\g<scheme>\g<user>:{HIDDEN}", text)
        text = _LONE_PASSWORD.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _AUTHORIZATION.sub(rf"\g<name>{HIDDEN}", text)
    text = _NAMED.sub(rf"\g<name>{HIDDEN}", text)
    return _QUOTING.sub(rf"\g<before>{HIDDEN}", text)
