"""Where alerts are sent, from the environment: addresses that may hold secrets.

==================================  =============================================================
PERF_PIPELINE_ALERT_WEBHOOK_URL     takes a Slack message as JSON (Slack, Mattermost, ...)
PERF_PIPELINE_ALERT_SMTP_URL        ``smtp://user:password@host:587`` (STARTTLS where the server
                                    has it; a password is sent over TLS alone), ``smtps://host``
PERF_PIPELINE_ALERT_EMAIL_FROM      address of the sender
PERF_PIPELINE_ALERT_EMAIL_TO        addresses of the recipients, with commas between them
PERF_PIPELINE_ALERT_MANAGER_URL     a Prometheus Alertmanager, ``http://host:9093``
==================================  =============================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from perf_pipeline.redaction.redact import remember_secrets, remember_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

WEBHOOK, SMTP, FROM, TO, MANAGER = VARIABLES = (
    "PERF_PIPELINE_ALERT_WEBHOOK_URL",
    "PERF_PIPELINE_ALERT_SMTP_URL",
    "PERF_PIPELINE_ALERT_EMAIL_FROM",
    "PERF_PIPELINE_ALERT_EMAIL_TO",
    "PERF_PIPELINE_ALERT_MANAGER_URL",
)
_HTTP = ("http", "https")
_SMTP_PORTS = {"smtp": 587, "smtps": 465}
_MIN_TOKEN = 12
"""A part of a webhook's path that is as long is a secret; a shorter one may be a word."""


@dataclass(frozen=True)
class EmailSettings:
    """A mail server, and who writes to whom.

    Attributes:
        host: Of the server.
        port: Likewise.
        is_tls: TLS from the first byte; else STARTTLS.
        user: Empty for none.
        password: Likewise.
        sender: An address.
        recipients: Addresses, at least one.
    """

    host: str
    port: int
    is_tls: bool
    user: str
    password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class AlertSettings:
    """Where alerts are sent besides the log; None for nowhere.

    Attributes:
        webhook_url: Takes a Slack message; the URL is a secret.
        alertmanager_url: Base URL of an Alertmanager, perhaps with a login.
        email: A mail server.
    """

    webhook_url: str | None = field(default=None, repr=False)
    alertmanager_url: str | None = field(default=None, repr=False)
    email: EmailSettings | None = None


def read_alert_settings(environ: Mapping[str, str], problems: list[str]) -> AlertSettings:
    """Read where alerts are sent; what is wrong is added to ``problems``, without any secret.

    Args:
        environ: ``os.environ``, or a substitute.
        problems: A sentence each.
    """
    return AlertSettings(
        webhook_url=_http_url(environ, WEBHOOK, "https://hooks.slack.com/services/...", problems),
        alertmanager_url=_http_url(environ, MANAGER, "http://127.0.0.1:9093", problems),
        email=_email(environ, problems),
    )


def remember_alert_secrets(environ: Mapping[str, str]) -> None:
    """Have what is secret in these addresses removed from every text of this process."""
    for name in (SMTP, MANAGER):
        remember_url(environ.get(name, ""))
    webhook = environ.get(WEBHOOK, "")
    remember_url(webhook)
    _, _, place = webhook.partition("://")
    path, _, query = place.partition("/")[2].partition("?")
    parts = [*path.split("/"), *(value for _, value in parse_qsl(query))]
    remember_secrets(part for part in (webhook, path, *parts) if len(part) >= _MIN_TOKEN)


def _http_url(
    environ: Mapping[str, str], name: str, example: str, problems: list[str]
) -> str | None:
    given = environ.get(name)
    if not given:
        return None
    if _split(given, _HTTP) is None:
        problems.append(f"{name} is no URL of a web server: write it like {example}.")
        return None
    return given


def _split(url: str, schemes: tuple[str, ...]) -> SplitResult | None:
    """Return the parts of a URL with one of the schemes, a host and a port; else None."""
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    is_plain = url.isascii() and url.isprintable() and " " not in url
    return parts if is_complete and is_plain and parts.scheme in schemes else None


def _email(environ: Mapping[str, str], problems: list[str]) -> EmailSettings | None:
    given = {name: environ.get(name, "") for name in (SMTP, FROM, TO)}
    missing = [name for name, value in given.items() if not value]
    if len(missing) == len(given):
        return None
    if missing:
        problems.append(
            f"{' and '.join(missing)} must be set as well: an email needs {SMTP}, {FROM} and {TO}."
        )
        return None
    found = _split(given[SMTP], tuple(_SMTP_PORTS))
    if found is None or not found.hostname:
        example = "smtp://user:password@mail.example.org:587"
        problems.append(f"{SMTP} is no URL of a mail server: write it like {example}.")
        return None
    recipients = tuple(one.strip() for one in given[TO].split(",") if one.strip())
    wrong = [
        name
        for name, addresses in ((FROM, (given[FROM].strip(),)), (TO, recipients))
        if not addresses or not all(map(_is_address, addresses))
    ]
    problems += [f"{name} is {given[name]!r}; write name@example.org." for name in wrong]
    return EmailSettings(
        host=found.hostname,
        port=found.port or _SMTP_PORTS[found.scheme],
        is_tls=found.scheme == "smtps",
        user=unquote(found.username or ""),
        password=unquote(found.password or ""),
        sender=given[FROM].strip(),
        recipients=recipients,
    )


def _is_address(text: str) -> bool:
    """Return whether a text may be an address, and nothing of a header."""
    name, at, host = text.rpartition("@")
    return bool(name and at and host) and text.isprintable() and not set(text) & set(' <>,;"')
