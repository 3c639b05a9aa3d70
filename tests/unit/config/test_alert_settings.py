"""Where alerts are sent: what is wrong is a sentence, and what is secret is never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import read_settings
from perf_pipeline.errors import ScenarioError
from perf_pipeline.redaction.redact import redacted

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = "PERF_PIPELINE_ALERT_"
EMAIL = {
    f"{PREFIX}SMTP_URL": "smtp://mail.example.org",
    f"{PREFIX}EMAIL_FROM": "perf@example.org",
    f"{PREFIX}EMAIL_TO": "a@example.org",
}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("WEBHOOK_URL", "hooks.slack.com/services/T0", "is no URL of a web server"),
        ("WEBHOOK_URL", "file:///etc/passwd", "is no URL of a web server"),
        ("WEBHOOK_URL", "https://host:99999/x", "is no URL of a web server"),
        ("MANAGER_URL", "http://", "is no URL of a web server"),
        ("SMTP_URL", "mail.example.org:25", "is no URL of a mail server"),
        ("EMAIL_TO", ",", "write name@example.org"),
        ("EMAIL_TO", "a@example.org,nobody", "write name@example.org"),
        ("EMAIL_FROM", "a@b\r\nBcc: c@d", "write name@example.org"),
        ("EMAIL_FROM", "", "EMAIL_FROM must be set as well"),
        ("WEBHOK_URL", "https://h/x", "WEBHOOK_URL"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, value: str, why: str) -> None:
    environ = {"HOME": str(tmp_path), **EMAIL, f"{PREFIX}{name}": value}
    with pytest.raises(ScenarioError) as refused:
        read_settings(environ)
    (problem,) = refused.value.problems
    assert why in problem


def test_secrets_of_addresses_are_removed_from_every_text(tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        **EMAIL,
        f"{PREFIX}SMTP_URL": "smtp://perf:hunter-of-mail@mail.example.org",
        f"{PREFIX}WEBHOOK_URL": "https://hooks.example.org/services/T0/B0/Abcdef0123456789?k=Qrstuvwxyz0123",
        f"{PREFIX}MANAGER_URL": "http://perf:hunter-of-alerts@127.0.0.1:9093",
    }
    read_settings(environ)
    text = (
        "hunter-of-mail hunter-of-alerts Abcdef0123456789 T0/B0/Abcdef0123456789 Qrstuvwxyz0123 "
        "services"
    )
    assert redacted(f"POST /{text}").split() == [
        "POST",
        "/***",
        "***",
        "***",
        "T0/B0/***",
        "***",
        "services",
    ]
