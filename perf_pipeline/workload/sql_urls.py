"""The URLs of PostgreSQL and MySQL as arguments of their drivers' ``connect``.

Worker processes connect with them and so does the harness, each through its own driver: a URL
means the same to both, whatever SQLAlchemy or a runtime would make of its text.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}

MYSQL_FILES = ("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "unix_socket")
_SWITCHES = ("ssl", "ssl_check_hostname", "ssl_disabled", "ssl_verify_cert", "ssl_verify_identity")
_TEXTS = ("charset", "ssl_cipher", "ssl_key_password", "ssl_mode")
MYSQL_OPTIONS = (*MYSQL_FILES, *_SWITCHES, *_TEXTS)

_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
"""As MySQL's own clients call them; without one and without a certificate, PREFERRED."""


def postgres_arguments(url: str) -> dict[str, str]:
    """Return libpq's parameters of a complete URL (``servers.postgres.address``)."""
    parts = urlsplit(url)
    login, _, address = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    found = dict(parse_qsl(parts.query, keep_blank_values=True))
    if address:
        host, _, port = address.rpartition(":") if not address.endswith("]") else (address, "", "")
        found |= {"host": unquote(host.strip("[]")), "port": port} if host else {"host": port}
    named = {"user": unquote(user), "password": unquote(password)}
    named["dbname"] = unquote(parts.path.removeprefix("/"))
    return {name: value for name, value in {**found, **named}.items() if value}


def mysql_arguments(url: str) -> dict[str, Any]:
    """Return PyMySQL's arguments of a URL.

    Options are those of PyMySQL and SQLAlchemy, and ``ssl-mode`` of MySQL's clients. A certificate
    authority means that the server's certificate and name are verified, unless another option
    says otherwise.

    Raises:
        ValueError: An option is not known, or its value is not; the text is a predicate.
    """
    parts = urlsplit(url)
    options = {
        name.replace("-", "_"): value
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    }
    if unknown := sorted(options.keys() - set(MYSQL_OPTIONS)):
        raise ValueError(
            f"has the option {unknown[0]}, which is not one of {', '.join(MYSQL_OPTIONS)}"
        )
    arguments: dict[str, Any] = {
        "user": unquote(parts.username or ""),
        "password": _password(unquote(parts.password or "")),
        "database": unquote(parts.path.strip("/")),
    }
    if parts.hostname:
        arguments |= {"host": unquote(parts.hostname), "port": parts.port or 3306}
    for name in ("unix_socket", "charset"):
        if name in options:
            arguments[name] = options[name]
    return arguments | _tls(options)


def _password(text: str) -> str | bytes:
    """Return a password as the server hashes it: PyMySQL would encode a text as Latin-1."""
    return text if text.isascii() else text.encode()


def _tls(options: dict[str, str]) -> dict[str, Any]:
    mode = _mode(options)
    if mode == "DISABLED":
        return {"ssl_disabled": True}
    if mode == "PREFERRED":
        return {}
    files = {
        name: options[f"ssl_{name}"]
        for name in ("ca", "capath", "cert", "key", "cipher")
        if f"ssl_{name}" in options
    }
    if "ssl_key_password" in options:
        files["password"] = options["ssl_key_password"]
    verify = "required" if mode in _MODES[3:] else "none"
    return {"ssl": {**files, "verify_mode": verify, "check_hostname": mode == _MODES[4]}}


def _mode(options: dict[str, str]) -> str:
    """Return the mode that the options amount to: the strictest, unless one says which."""
    is_on = {name: _switch(name, options[name]) for name in _SWITCHES if name in options}
    if "ssl_mode" in options:
        mode = options["ssl_mode"].upper()
        if mode not in _MODES:
            raise ValueError(f"has an ssl_mode that is not one of {', '.join(_MODES)}")
        return mode
    if is_on.get("ssl_disabled") or is_on.get("ssl") is False:
        return "DISABLED"
    has_authority = "ssl_ca" in options or "ssl_capath" in options
    identity = is_on.get("ssl_verify_identity", is_on.get("ssl_check_hostname"))
    certificate = is_on.get("ssl_verify_cert")
    if identity or (has_authority and identity is None and certificate is not False):
        return "VERIFY_IDENTITY"
    if certificate or (has_authority and certificate is None):
        return "VERIFY_CA"
    asks_for_tls = {name for name in options if name.startswith("ssl")} - {"ssl_disabled"}
    return "REQUIRED" if asks_for_tls else "PREFERRED"


def _switch(name: str, value: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ValueError(f"has the option {name}, which is true or false, with another value")
