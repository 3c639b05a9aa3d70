"""Removes passwords from logins, whatever their URL: whole, cut, percent-encoded, without a scheme.

A text is looked at word by word, and a word once, so that its cost grows with its length alone.

Standard library only: the worker imports this.
"""

from __future__ import annotations

import re

HIDDEN = "***"

_WORD = re.compile(r"""[^\s"'<>]+""")
_SCHEME = r"[a-z][a-z0-9+.-]{0,20}"
_LOGIN = re.compile(rf"{_SCHEME}:/{{1,2}}[^:/@\[]{{0,200}}:", re.IGNORECASE)
"""One slash: a URL that was taken for a path."""

_OURS = ("password@", f"{HIDDEN}@")
"""The placeholder of our own examples, and what was removed before."""

_CUT_LOGIN = re.compile(
    rf"""(?P<scheme>{_SCHEME}://)(?P<user>[^\s:/@"'<>\[]{{1,200}}):"""
    r"""(?!password@|\*\*\*|port\b|\d{1,5}(?![^\s/?#,;:.)\]}>"'`]))[^\s"'<>]+""",
    re.IGNORECASE,
)
"""A login whose end is missing: what follows the colon is no port."""

_LONE_PASSWORD = re.compile(r"(?P<scheme>\brediss?://)(?!\*\*\*)[^:/@]{1,4000}@", re.IGNORECASE)
"""A Redis has no users without a password: what stands alone before the @ is meant as one."""

_USER = re.compile(r"(?<![^(\[{,;=|&?])(?P<user>[a-z_][\w.+-]{0,63}):", re.IGNORECASE)
_NO_USERS = {"acct", "author", "bcc", "cc", "contact", "email", "from", "mail", "mailto"}
_NO_USERS |= {"maintainer", "sip", "sips", "to", "xmpp"}
"""What stands before the colon of an address of a person."""

_NO_PASSWORD = re.compile(r"//|\d{1,5}(?:/|$)|\*\*\*$|password$")
_HOST = re.compile(r"(?!sha\d{3}\b)[\w\[]")

_COLON, _AT = r"%(?:25){0,3}3A", re.compile(r"@|%(?:25){0,3}40")
_ENCODED_LOGIN = re.compile(
    rf"{_SCHEME}{_COLON}(?:/|%(?:25){{0,3}}2F){{1,2}}(?:(?!{_COLON})[^:/@]){{0,200}}(?::|{_COLON})",
    re.IGNORECASE,
)
_ENCODED_END = re.compile("[&?#]|$")
_PORT = re.compile(r"\d{1,5}(?![\w-])")


def without_logins(text: str) -> str:
    """Return a text with the passwords of logins as ``***``."""
    if "@" in text or "%" in text:  # a word ends with its line
        text = "".join(map(_line_without_logins, text.splitlines(keepends=True)))
    if "://" in text:
        text = _CUT_LOGIN.sub(rf"\g<scheme>\g<user>:{HIDDEN}", text)
    return text


def _line_without_logins(line: str) -> str:
    return _WORD.sub(_without_login, line) if "@" in line or "%" in line else line


def _without_login(found: re.Match[str]) -> str:
    word = found[0]
    if "%" in word:
        word = _without_encoded_logins(word)
    end = word.rfind("@")  # the last: a password may hold one
    if end < 0:
        return word
    begin = _begin_of_password(word, end)
    if begin is not None:
        return f"{word[:begin]}{HIDDEN}{word[end:]}"
    return _LONE_PASSWORD.sub(rf"\g<scheme>{HIDDEN}@", word)


def _begin_of_password(word: str, end: int) -> int | None:
    """Return where the password before the last @ of a word begins; None if there is none."""
    at = 0
    while login := _LOGIN.search(word, at, end):
        at = login.end()
        if not word.startswith(_OURS, at):
            return at
    if at or not _HOST.match(word, end + 1):
        return None
    while user := _USER.search(word, at, end):
        at = user.end()
        if user["user"].lower() not in _NO_USERS and not _NO_PASSWORD.match(word, at, end):
            return at
    return None


def _without_encoded_logins(word: str) -> str:
    """Hide the passwords of URLs that are percent-encoded, once or several times over."""
    pieces, at = [], 0
    while login := _ENCODED_LOGIN.search(word, at):
        begin = login.end()
        ending = _ENCODED_END.search(word, begin)
        end = len(word) if ending is None else ending.start()
        hosts = [one.start() for one in _AT.finditer(word, begin, end)]
        hidden_to = hosts[-1] if hosts else end
        is_port = not hosts and _PORT.match(word, begin, end)
        if is_port or hidden_to == begin:
            pieces.append(word[at:end])
        else:
            pieces += [word[at:begin], HIDDEN, word[hidden_to:end]]
        at = end
    return "".join([*pieces, word[at:]])
