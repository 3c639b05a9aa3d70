"""The secrets of a server's URL, and how each may be spelled in a text.

A driver prints a URL as it got it, decoded, or in pieces: a password with an unescaped ``#``, ``/``
or ``?`` ends there for a parser, and the first piece is quoted as a port. Base64 is what HTTP puts
a login into; its characters depend on where in the login the password begins.

Standard library only: the worker imports this.
"""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_SECRET = 4
MIN_PIECE = 5
MIN_BASE64 = 10
"""Characters; what is shorter occurs by chance, and is found by the form of its context alone."""

SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|api[-_]?key|credential|authmechanismproperties|token",
    re.IGNORECASE,
)
"""Names of URL options whose values are secrets."""

_SEPARATORS = re.compile(r"[/?#@:%&=\s]+")


def url_secrets(url: str) -> set[str]:
    """Return what of a URL must not be shown, as written and decoded; also of a malformed URL.

    The user, host and database are shown anyway, so a password that equals one is not among them.
    """
    _, separator, rest = url.partition("://")
    if not separator:
        return set()
    written: set[str] = set()
    shown: set[str] = {url.partition("://")[0]}
    # A parser ends the authority at the first of /?#; a person who did not escape one meant the
    # last @. Both are looked at.
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    for login, at, address in (authority.rpartition("@"), rest.rpartition("@")):
        if at:
            user, _, password = login.partition(":")
            written.add(password)
            shown |= {unquote(user), *re.split(r"[/?#:,&=]", address)}
    if "@" not in rest:  # all that follows the user may be a password
        written.add(authority.partition(":")[2])
        shown |= {authority.partition(":")[0]}
        written = {text for text in written if not text.isdecimal()}
    for name, value in parse_qsl(rest.partition("?")[2]):
        if SECRET_NAME.search(name):
            written |= {value, quote(value, safe="")}
    decoded = {unquote(text) for text in written} | {unquote_plus(text) for text in written}
    whole = {text for text in written | decoded if len(text) >= MIN_SECRET}
    pieces = {
        piece
        for text in whole
        for piece in _SEPARATORS.split(text)
        if len(piece) >= MIN_PIECE and piece != text
    }
    return {text for text in whole | pieces if text.lower() not in {s.lower() for s in shown}}


def spellings(secret: str) -> set[str]:
    """Return the texts in which a secret may occur, but Base64: raw, encoded, escaped, quoted."""
    escaped = {
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        repr(secret.encode(errors="replace"))[2:-1],
        html.escape(secret),
        html.escape(secret, quote=False),
        secret.replace("'", "''"),
        secret.replace("\\", "\\\\").replace("'", "\\'"),
    }
    encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    encoded |= {quote(text) for text in encoded}  # in a URL that is part of another one
    encoded |= {re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text) for text in encoded}
    doubly = {json.dumps(text)[1:-1] for text in escaped}
    return {secret, *escaped, *encoded, *doubly}


def base64_cores(secret: str) -> Iterator[str]:
    """Yield the characters of Base64 that a secret alone decides, for each place it may have."""
    for before in range(3):
        raw = b"\0" * before + secret.encode(errors="replace")
        first, last = -(-before * 8 // 6), len(raw) * 8 // 6
        for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
            core = encoded[first:last].decode()
            if len(core) >= MIN_BASE64:
                yield core
