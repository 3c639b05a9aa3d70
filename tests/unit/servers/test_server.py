"""What is shown of a server."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from perf_pipeline.servers.server import Facts, Server, redacted_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:secret@h:1/d", "postgresql://u:***@h:1/d"),
        ("postgresql://u:sec@ret@h:1/d", "postgresql://u:***@h:1/d"),
        ("postgresql://u@h:1/d", "postgresql://u@h:1/d"),
        ("redis://:secret@[::1]:1/0", "redis://:***@[::1]:1/0"),
        ("redis://h:1/0", "redis://h:1/0"),
        (
            "postgresql://u@h/d?password=secret&sslmode=require&sslPassword=secret",
            "postgresql://u@h/d?password=***&sslmode=require&sslPassword=***",
        ),
    ],
)
def test_a_shown_url_holds_no_password(url: str, shown: str) -> None:
    """Neither before the host nor in the query."""
    assert redacted_url(url) == shown


def test_the_manifest_holds_no_password() -> None:
    """Nor anything that JSON cannot hold."""
    facts = Facts("PostgreSQL", "15.18", {"fsync": "on"}, 300)
    server = Server("postgres", "postgresql://u:secret@h:1/d", "settings", facts, notes=("x",))
    assert json.loads(json.dumps(asdict(server.record()))) == {
        "service": "postgres",
        "product": "PostgreSQL",
        "version": "15.18",
        "source": "settings",
        "url": "postgresql://u:***@h:1/d",
        "max_connections": 300,
        "settings": {"fsync": "on"},
        "notes": ["x"],
        "stand_in": False,
        "container": None,
    }
