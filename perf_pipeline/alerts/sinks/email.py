"""Email through the user's own mail server."""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from perf_pipeline.alerts.sinks.sink import TIMEOUT_S, SinkError
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.report.text.escape import visible

if TYPE_CHECKING:
    from perf_pipeline.alerts.notice import Notice
    from perf_pipeline.config.alert_settings import EmailSettings

_US = "[127.0.0.1]"
"""How we greet the server; to ask for the name of this host may take longer than the email."""


class EmailSink:
    """Sends an email for each notice; those of one alert are one thread."""

    name = "email"
    takes_acknowledgements = False

    def __init__(self, settings: EmailSettings) -> None:
        """Send through this server."""
        self._settings = settings

    def send(self, notice: Notice) -> None:
        """Send an email."""
        to = self._settings
        where = f"{self.name}: {to.host}:{to.port}"
        try:
            with self._server() as server:
                refused = server.send_message(email_of(notice, to))
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise SinkError(f"{where}: {visible(error)}") from None
        if refused:
            raise SinkError(f"{where} refused {visible(', '.join(refused))}; others have got it")

    def _server(self) -> smtplib.SMTP:
        """Return a connection, encrypted and logged in where the settings or the server ask."""
        to, context = self._settings, ssl.create_default_context()
        if to.is_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                to.host, to.port, _US, timeout=TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(to.host, to.port, _US, timeout=TIMEOUT_S)
        try:
            self._log_in(server, context)
        except BaseException:
            server.close()
            raise
        return server

    def _log_in(self, server: smtplib.SMTP, context: ssl.SSLContext) -> None:
        to = self._settings
        server.ehlo()
        has_tls = to.is_tls
        if not has_tls and server.has_extn("starttls"):
            server.starttls(context=context)
            has_tls = True
        if to.user and not has_tls:
            raise smtplib.SMTPNotSupportedError(
                "it offers no STARTTLS, and a password is sent over TLS alone: use smtps://, or an "
                "SMTP_URL without a login"
            )
        if to.user:
            server.login(to.user, to.password)


def email_of(notice: Notice, to: EmailSettings) -> EmailMessage:
    """Return a notice as an email."""
    message, alert = EmailMessage(), notice.alert
    domain = to.sender.rpartition("@")[2]
    message["Subject"] = redacted(notice.title)
    message["From"], message["To"] = to.sender, ", ".join(to.recipients)
    message["Date"] = format_datetime(datetime.fromisoformat(notice.at))
    stamp = "".join(filter(str.isalnum, notice.at))
    message["Message-ID"] = f"<{alert.alert_id}.{notice.event}.{stamp}@{domain}>"
    message["References"] = f"<{alert.alert_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(redacted("\n".join(notice.lines)) + "\n")
    return message
