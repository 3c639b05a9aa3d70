"""Removes secrets that are recognised by their context: logins, commands, headers, named values.

These are secrets that nobody told us: of a database that the target connects to by itself, say.
What repeats is bounded: a target's error may be a megabyte, and a worker waits for this.

Standard library only: the worker imports this.
"""

from __future__ import annotations

import re

from perf_pipeline.redaction.command_lines import PROSE, QUOTED, without_client_passwords
from perf_pipeline.redaction.logins import HIDDEN, without_logins

_NAME = r"(?:passw(?:or)?d|passphrase|pwd|secret|api[-_]?key|auth[-_]?token|access[-_]?token)"
_NAMES = (
    *("passw", "passphrase", "pwd", "secret"),
    *(f"api{between}key" for between in ("", "-", "_")),
    *(f"{of}{between}token" for of in ("auth", "access") for between in ("", "-", "_")),
)
"""Every match of ``_NAME`` has one of these."""

_NOTHING = rf"""\*\*\*|["']?(?:YES|NO|None|null|true|false|{PROSE})(?![^\s,;:.)\]}}"'])"""
_VALUE = rf"""(?:{QUOTED}|\\?["']?[^\s&,;)\]}}"'\\]+)"""

_NAMED = re.compile(
    rf"""(?P<name>{_NAME}\w{{0,40}}\b\\?["']?\s*[=:]\s*)(?!{_NOTHING}){_VALUE}""", re.IGNORECASE
)
_PAIR = re.compile(
    rf"""(?P<name>\(\s*b?["']\w{{0,20}}{_NAME}\w{{0,20}}["'],\s*){QUOTED}(?=\s*\))""", re.IGNORECASE
)
_ELEMENT = re.compile(
    rf"(?P<name><[\w:]{{0,20}}{_NAME}[\w:]{{0,20}}>)[^<]{{1,4000}}(?=</)", re.IGNORECASE
)
_SHORT_NAME = re.compile(
    rf"""(?P<name>\b(?:pass|pw)\\?["']?=)(?!{_NOTHING}|\d{{1,5}}\b|ok\b){_VALUE}""", re.IGNORECASE
)
_TOKEN = re.compile(
    rf"""(?P<name>token(?P<quote>\\?["'])?(?P<between>\s*[=:]\s*))(?!{_NOTHING}|\d{{1,5}}\b)"""
    rf"""(?P<value>{_VALUE})""",
    re.IGNORECASE,
)
_MIN_TOKEN = 8

_QUOTING = re.compile(
    r"(?P<name>Port could not be cast to integer value as |percent-encoded token:? |"
    r"invalid (?:integer value|port number):? )" + QUOTED,
    re.IGNORECASE,
)
"""Messages that quote a piece of a URL that could not be read, which may be of its password."""

_AUTHORIZATION = re.compile(
    r"""(?P<name>\bAuthorization\\?(?:["']?\s*[:=]|["']\s*,)\s*\\?(?:b?["'])?"""
    rf"""(?!{PROSE})(?:[\w-]{{1,20}}(?:[ ]|%20))?)"""
    r"""(?:(?<=Digest[ ])[^\r\n]{1,4000}|[\w.+/=~:-]+)""",
    re.IGNORECASE,
)
_SCHEME = re.compile(
    r"(?P<name>\b(?:Bearer|Basic)[ ]+)(?=[\w.+/=~-]{0,4000}[\d=])[\w.+/=~-]{8,}", re.IGNORECASE
)
_COOKIE = re.compile(
    r"""(?P<name>\b(?:Set-)?Cookie\\?["']?\s*:\s*\\?["']?[\w.-]{1,100}=)[^\s"'][^\r\n"']{0,4000}""",
    re.IGNORECASE,
)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
_PRIVATE_KEY = re.compile(r"(?P<name>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^-]{1,20000}")

_BY_WORD: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_COOKIE, ("cookie",)),
    (_AUTHORIZATION, ("authorization",)),
    (_SCHEME, ("bearer", "basic")),
    *((pattern, _NAMES) for pattern in (_NAMED, _PAIR, _ELEMENT)),
    (_SHORT_NAME, ("pass", "pw")),
    (_QUOTING, ("port could", "percent-encoded", "invalid ")),
    (_PRIVATE_KEY, ("private key",)),
)
"""The patterns, each with texts of which it needs one: most texts have none of them."""


def without_known_forms(text: str) -> str:
    """Return a text with passwords as ``***`` where their context shows what they are."""
    text = without_logins(text)
    text = without_client_passwords(text)
    lowered = text.lower()
    for pattern, words in _BY_WORD:
        if any(word in lowered for word in words):
            text = pattern.sub(rf"\g<name>{HIDDEN}", text)
    if "token" in lowered:
        text = _TOKEN.sub(_without_token, text)
    return _JWT.sub(HIDDEN, text) if "eyJ" in text else text


def _without_token(found: re.Match[str]) -> str:
    """Hide a token, and no other word: parsers speak of tokens as well (unexpected token: x)."""
    value = found["value"]
    is_named = found["quote"] or found["between"] == "="
    looks_random = len(value) >= _MIN_TOKEN and any(map(str.isdigit, value))
    return f"{found['name']}{HIDDEN}" if is_named or looks_random else found[0]
