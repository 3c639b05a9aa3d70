"""Removes passwords from the command lines of servers' clients, and from commands to servers.

Standard library only: the worker imports this.
"""

from __future__ import annotations

import re

from perf_pipeline.redaction.logins import HIDDEN

QUOTED = r"""(?:\\"[^"\\]*\\"|b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*')"""
PROSE = (
    r"(?:a|an|and|argument|arguments|are|as|at|authentication|but|by|called|cannot|command"
    r"|commands|credentials|denied|directive|does|empty|error|errors|expected|extension|failed"
    r"|failure|field|for|from|handshake|has|have|header|if|in|incorrect|invalid|is|it|may|mechanism"
    r"|method|mismatch|missing|must|needed|needs|no|not|of|on|option|or|out|parameter|plugin|refused"
    r"|rejected|reply|request|required|requires|response|returned|setting|should|string|that|the"
    r"|this|timed|to|too|took|unknown|value|variable|was|were|when|which|with|without|wrong)"
    r"(?![^\s.,;:)!?])"
)
"""Words that follow the name of a secret in a sentence about it."""

_BETWEEN = r"""\\?["']?,?[ \t]+"""
"""Between the words of a command line; also of one that is shown as a list."""
_VALUE = rf"""(?:{QUOTED}|[^\s"']+)"""

_CLIENT = re.compile(
    r"""\b(?:(?P<mysql>mysql(?:dump|admin|import|slap|check|show|pump)?|mariadb(?:-[a-z]+)?|mycli)"""
    r"|(?P<redis>(?:redis|valkey|keydb)-(?:cli|benchmark|server))"
    r"|(?P<mongo>mongo(?:sh|dump|restore|export|import|stat|top)?|sshpass)"
    r"|(?P<web>curl|wget))"
    r"""(?=\\?["']?,?[ \t])(?P<rest>[^\n]{0,2000})"""
)
_CLIENTS = (
    "mysql",
    "maria",
    "mycli",
    "redis-",
    "valkey-",
    "keydb-",
    "mongo",
    "sshpass",
    "curl",
    "wget",
)
"""Each name of ``_CLIENT`` begins with one of these."""

_OPTIONS = {
    "mysql": re.compile(rf"(?P<name>(?<![\w-])-p)(?![;|&>)\],.]){_VALUE}"),
    "redis": re.compile(rf"(?P<name>(?<![\w-])-a{_BETWEEN})(?!-){_VALUE}"),
    "mongo": re.compile(rf"(?P<name>(?<![\w-])-p(?:{_BETWEEN})?)(?!-){_VALUE}"),
    "web": re.compile(
        rf"(?P<name>(?<![\w-])(?:-[uU]|--(?:proxy-)?user)(?:=|{_BETWEEN})?[\"']?[^\s:\"']{{1,200}}:)"
        r"""[^\s"']+"""
    ),
}
"""Of each kind of client, the option that is a password; long ones are the same everywhere."""

_LONG_OPTION = re.compile(
    r"(?P<name>(?<![\w-])--?(?:[a-z]{1,20}-){0,3}(?:passw(?:or)?d|pass|passphrase|secret|token"
    rf"|api-?key|requirepass|masterauth){_BETWEEN})"
    rf"(?!-|{PROSE}|[A-Z_]+(?![^\s\])])){_VALUE}"
)
"""Not the name of a value as a usage has it: ``[--password PASSWORD]``."""

_OF_LONG_OPTIONS = ("pass", "secret", "token", "api", "masterauth")
"""Each name of ``_LONG_OPTION`` has one of these."""

_SETTING = re.compile(
    rf"(?P<name>\b(?:requirepass|masterauth){_BETWEEN})(?!{PROSE}){_VALUE}", re.IGNORECASE
)
_WORD = rf"""(?:{QUOTED}|[^\s"'<>,;()\]}}](?:[^\s"'<>]{{0,4000}}[^\s"'<>,;:.)\]}}])?)"""
_AUTH = re.compile(
    rf"(?P<name>\bAUTH{_BETWEEN})(?!{PROSE})(?P<first>{_WORD})"
    rf"(?:(?P<between>{_BETWEEN})(?!{PROSE})(?P<second>{_WORD}))?"
)
_SET_USER = re.compile(r"\bSETUSER\b[^\n]{0,500}", re.IGNORECASE)
_NEW_PASSWORD = re.compile(r"""(?<=[\s"'])>[^\s"']+""")
_STATEMENT = re.compile(
    r"(?P<name>IDENTIFIED BY (?:PASSWORD )?|\bPASSWORD(?: FOR [^=\n]{1,100}=)?(?: ?= ?| |\()"
    rf"|\bauth\(\s*{QUOTED}\s*,\s*){QUOTED}",
    re.IGNORECASE,
)


def without_client_passwords(text: str) -> str:
    """Return a text with passwords in commands and command lines as ``***``."""
    lowered = text.lower()
    if "-" in text:  # every option has one
        if any(name in text for name in _CLIENTS):
            text = _CLIENT.sub(_without_options, text)
        if any(word in text for word in _OF_LONG_OPTIONS):
            text = _LONG_OPTION.sub(rf"\g<name>{HIDDEN}", text)
    if "requirepass" in lowered or "masterauth" in lowered:
        text = _SETTING.sub(rf"\g<name>{HIDDEN}", text)
    if "AUTH" in text:
        text = _AUTH.sub(_without_auth, text)
    if "setuser" in lowered:
        text = _SET_USER.sub(_without_new_passwords, text)
    if "password" in lowered or "identified" in lowered or "auth(" in lowered:
        text = _STATEMENT.sub(rf"\g<name>{HIDDEN}", text)
    return text


def _without_new_passwords(found: re.Match[str]) -> str:
    return _NEW_PASSWORD.sub(f">{HIDDEN}", found[0])


def _without_options(found: re.Match[str]) -> str:
    rest = found["rest"]
    client = found[0].removesuffix(rest)
    kind = next(kind for kind in _OPTIONS if found[kind] is not None)
    return client + _OPTIONS[kind].sub(rf"\g<name>{HIDDEN}", rest)


def _without_auth(found: re.Match[str]) -> str:
    """Hide what follows ``AUTH``: a password, or a user's name, which is shown, and a password."""
    if found["second"] is None:
        return f"{found['name']}{HIDDEN}"
    return f"{found['name']}{found['first']}{found['between']}{HIDDEN}"
