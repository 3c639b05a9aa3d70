"""Every sink against a real server, and none of them costs anybody more than a few seconds."""

from __future__ import annotations

import email
import json
import ssl
import time
from dataclasses import replace
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.alerts.deliver import deliver
from perf_pipeline.alerts.notice import Notice
from perf_pipeline.alerts.sinks.alertmanager import AlertmanagerSink
from perf_pipeline.alerts.sinks.configured import absent_sinks, configured_sinks
from perf_pipeline.alerts.sinks.email import EmailSink
from perf_pipeline.alerts.sinks.log import LogSink
from perf_pipeline.alerts.sinks.sink import SinkError
from perf_pipeline.alerts.sinks.webhook import WebhookSink
from perf_pipeline.config.alert_settings import EmailSettings
from perf_pipeline.config.settings import read_settings
from perf_pipeline.metrics.types.alert import Alert, MetricKey, Movement
from tests.integration.targets.certificates import make_certificates
from tests.planted_comparison import run_id
from tests.unit.alerts.sinks.servers import mail_server, web_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.targets.certificates import Certificates
    from tests.unit.alerts.sinks.servers import WebServer

NOW = "2026-01-14T12:00:00+00:00"
HOSTILE = "shop <!channel> & *co*\nBcc: evil@example.org"


def notice(event: Any = "raised", *, tier: Any = "confirmed", scenario: str = "baseline") -> Notice:
    """Return a notice of a P99 that is 20 % worse."""
    key = MetricKey("kailash", "100", "", "p99_s")
    movement = Movement(
        key, "s", False, "ratio", 1.2, 1.15, 1.25, tier, "minor", run_id(20), run_id(19)
    )  # fmt: skip
    more = [replace(movement, key=key._replace(level=str(n))) for n in range(200, 211)]
    alert = Alert(run_id(20), scenario, "open", "2026-01-14T11:00:00+00:00", (movement, *more))
    return Notice(event, alert, NOW)


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def email_settings(port: int, **more: Any) -> EmailSettings:
    values: dict[str, Any] = {
        "host": "localhost",
        "port": port,
        "is_tls": False,
        "user": "",
        "password": "",
        "sender": "perf@example.org",
        "recipients": ("a@example.org", "b@example.org"),
        **more,
    }
    return EmailSettings(**values)


def test_the_webhook_gets_a_slack_message_that_says_what_moved_and_what_to_do(
    web: WebServer,
) -> None:
    WebhookSink(f"{web.url}/services/T0/B0/token").send(notice())
    ((path, headers, message),) = web.requests
    assert path == "/services/T0/B0/token"
    assert headers["Content-Type"] == "application/json"
    assert message["text"] == f"Regression, minor: baseline (kailash) since run {run_id(20)}"
    (attachment,) = message["attachments"]
    assert "P99 latency at 100, kailash: +20.0 % (+15.0 % to +25.0 %)" in attachment["text"]
    assert "and 4 metrics more" in attachment["text"]
    assert f"after {run_id(19)}, the last good one" in attachment["text"]
    assert f"perf-pipeline alerts ack {run_id(20)}" in attachment["text"]


def test_names_that_are_not_ours_are_no_markup_and_no_headers(web: WebServer) -> None:
    WebhookSink(web.url).send(notice(scenario=HOSTILE))
    text = web.requests[0][2]["text"]
    assert "<" not in text
    assert "&lt;!channel&gt; &amp;" in text
    with mail_server() as server:
        EmailSink(email_settings(server.port, host="127.0.0.1")).send(notice(scenario=HOSTILE))
        (mail,) = [email.message_from_string(one, policy=default) for one in server.emails]
    assert mail["Bcc"] is None
    assert "evil@example.org" in mail["Subject"]


def test_a_warning_says_that_more_runs_decide(web: WebServer) -> None:
    WebhookSink(web.url).send(notice(tier="fast"))
    WebhookSink(web.url).send(notice("confirmed"))
    WebhookSink(web.url).send(notice("cleared"))
    messages = [message for _, _, message in web.requests]
    assert [message["text"].partition(",")[0] for message in messages] == [
        "Possible regression",
        "Regression confirmed",
        "Cleared",
    ]
    assert "more runs will confirm it or take it back" in messages[0]["attachments"][0]["text"]
    assert len({message["attachments"][0]["color"] for message in messages}) == 3


@pytest.mark.parametrize("status", [302, 403, 500])
def test_what_a_server_does_not_take_is_an_error_without_the_secret(
    web: WebServer, status: int
) -> None:
    """A redirect as well: it would announce nothing."""
    web.status, web.answer = status, "no_service"
    with pytest.raises(SinkError, match=f"127.0.0.1:{web.port} answered {status}") as refused:
        WebhookSink(f"{web.url}/services/verysecrettoken").send(notice())
    assert "verysecrettoken" not in str(refused.value)
    assert len(web.requests) == 1


def test_alertmanager_gets_an_alert_that_is_open_until_it_is_cleared_or_acknowledged(
    web: WebServer,
) -> None:
    """As its API v2 takes it, with a login; a confirmed one ends the warning of before."""
    sink = AlertmanagerSink(f"http://user:pass%40word@127.0.0.1:{web.port}/")
    for event, tier in (
        ("raised", "fast"),
        ("confirmed", "confirmed"),
        ("acknowledged", "confirmed"),
    ):
        sink.send(notice(event, tier=tier))
    (raised,), confirmed, acknowledged = (posted for _, _, posted in web.requests)
    assert {path for path, _, _ in web.requests} == {"/api/v2/alerts"}
    assert web.requests[0][1]["Authorization"] == "Basic dXNlcjpwYXNzQHdvcmQ="
    assert raised["labels"] == {
        "alertname": "PerformanceRegression",
        "scenario": "baseline",
        "first_bad_run": run_id(20),
        "severity": "warning",
    }
    assert raised["startsAt"] == "2026-01-14T11:00:00+00:00"
    assert raised["endsAt"] > "2030"
    assert {one["labels"]["severity"]: one["endsAt"] > "2030" for one in confirmed} == {
        "critical": True,
        "warning": False,
    }
    assert [one["endsAt"] for one in acknowledged] == [NOW, NOW]


def test_an_email_goes_to_all_recipients_in_one_thread_an_alert() -> None:
    with mail_server() as server:
        sink = EmailSink(email_settings(server.port, host="127.0.0.1"))
        for event in ("raised", "cleared"):
            sink.send(notice(event))
    first, second = (email.message_from_string(one, policy=default) for one in server.emails)
    assert first["Subject"] == f"Regression, minor: baseline (kailash) since run {run_id(20)}"
    assert (first["From"], first["To"]) == ("perf@example.org", "a@example.org, b@example.org")
    assert "+20.0 %" in first.get_content()
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert [line.upper() for line in server.commands if line.upper().startswith("RCPT")] == [
        "RCPT TO:<A@EXAMPLE.ORG>",
        "RCPT TO:<B@EXAMPLE.ORG>",
    ] * 2


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.mark.parametrize("is_tls", [False, True])
def test_a_password_is_sent_over_tls_whose_certificate_is_checked(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, *, is_tls: bool
) -> None:
    """By STARTTLS, or from the first byte; not to a server that somebody else signed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates["server.pem"], certificates["server.key"])
    with mail_server(context, is_tls=is_tls) as server:
        login = email_settings(server.port, is_tls=is_tls, user="perf", password="open sesame")
        monkeypatch.setenv("SSL_CERT_FILE", certificates["other-ca.pem"])
        with pytest.raises(SinkError, match="certificate verify failed"):
            EmailSink(login).send(notice())
        assert server.emails == []
        monkeypatch.setenv("SSL_CERT_FILE", certificates["ca.pem"])
        EmailSink(login).send(notice())
        assert server.encrypted == [True]
        assert any(line.startswith("AUTH") for line in server.commands)


def test_a_password_is_not_sent_in_clear_and_an_email_without_one_is() -> None:
    with mail_server() as server:
        login = email_settings(server.port, host="127.0.0.1", user="perf", password="open sesame")
        with pytest.raises(SinkError, match="offers no STARTTLS"):
            EmailSink(login).send(notice())
        assert not any(line.startswith("AUTH") for line in server.commands)
        EmailSink(replace(login, user="", password="")).send(notice())
        assert server.encrypted == [False]


def test_a_recipient_who_is_refused_is_named() -> None:
    with mail_server() as server:
        server.refused = ("b@example.org",)
        with pytest.raises(SinkError, match=r"refused b@example\.org; others have got it"):
            EmailSink(email_settings(server.port, host="127.0.0.1")).send(notice())
        assert len(server.emails) == 1


def test_the_log_is_a_line_a_notice_and_follows_no_link(tmp_path: Path) -> None:
    sink = LogSink(tmp_path)
    for event in ("raised", "acknowledged"):
        sink.send(notice(event))
    lines = (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    first, second = map(json.loads, lines)
    assert (first["event"], second["event"]) == ("raised", "acknowledged")
    assert first["alert_id"] == run_id(20)
    assert first["metrics"] == 12
    (tmp_path / "alerts.jsonl").unlink()
    (tmp_path / "alerts.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SinkError, match=r"alerts\.jsonl"):
        sink.send(notice())
    assert not (tmp_path / "elsewhere").exists()


def test_a_server_that_never_answers_costs_a_moment_and_the_others_nothing(
    web: WebServer, tmp_path: Path
) -> None:
    """It took the connection, and the request."""
    web.released.clear()
    hanging, log = WebhookSink(web.url), LogSink(tmp_path)
    began_s = time.monotonic()
    found = deliver({hanging: [notice()], log: [notice(), notice("cleared")]}, wait_s=0.3)
    assert time.monotonic() - began_s < 3
    assert found["webhook"] == ((), "webhook: no answer within 0.3 s")
    assert [one.event for one in found["log"][0]] == ["raised", "cleared"]
    assert found["log"][1] == ""


def test_a_sink_that_refuses_is_asked_once_and_what_it_took_before_is_known(
    web: WebServer,
) -> None:
    web.status = 500
    taken, why = deliver({WebhookSink(web.url): [notice(), notice("cleared")]})["webhook"]
    assert (taken, len(web.requests)) == ((), 1)
    assert "answered 500" in why


def test_nobody_listens_and_no_such_host_are_sentences() -> None:
    with web_server() as gone:
        pass
    for url in (gone.url, "http://no-such-host.invalid"):
        with pytest.raises(SinkError, match="could not be reached"):
            WebhookSink(url).send(notice())
    with pytest.raises(SinkError, match=f"localhost:{gone.port}"):
        EmailSink(email_settings(gone.port)).send(notice())


def test_the_settings_name_the_sinks_and_the_log_is_always_there(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    names = [sink.name for sink in configured_sinks(read_settings(environ))]
    assert names == ["log"]
    environ |= {
        "PERF_PIPELINE_ALERT_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/xyz",
        "PERF_PIPELINE_ALERT_MANAGER_URL": "http://127.0.0.1:9093",
        "PERF_PIPELINE_ALERT_SMTP_URL": "smtps://perf:p%40ss@mail.example.org",
        "PERF_PIPELINE_ALERT_EMAIL_FROM": "perf@example.org",
        "PERF_PIPELINE_ALERT_EMAIL_TO": "a@example.org, b@example.org",
    }
    settings = read_settings(environ)
    sinks = configured_sinks(settings)
    assert [sink.name for sink in sinks] == ["log", "webhook", "email", "alertmanager"]
    assert [sink.name for sink in sinks if sink.takes_acknowledgements] == ["log", "alertmanager"]
    to = settings.alerts.email
    assert to is not None
    assert (to.port, to.user, to.password, to.is_tls) == (465, "perf", "p@ss", True)
    assert to.recipients == ("a@example.org", "b@example.org")
    assert "p@ss" not in repr(settings.alerts)


def test_a_kind_of_sink_is_configured_or_absent(tmp_path: Path) -> None:
    settings = read_settings(
        {"HOME": str(tmp_path), "PERF_PIPELINE_ALERT_MANAGER_URL": "http://127.0.0.1:9093"}
    )
    absent = absent_sinks(configured_sinks(settings))
    assert [(one.name, one.takes_acknowledgements) for one in absent] == [
        ("webhook", False),
        ("email", False),
    ]
