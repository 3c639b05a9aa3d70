"""Variables of the user's session reach neither a server of ours nor its tools."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.servers.postgres.session import session

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration

ASTRAY = {
    "PGSSLMODE": "verify-full", "PGHOSTADDR": "192.0.2.1", "PGOPTIONS": "-c no_such=1",
    "PGSERVICE": "no-such-service", "PGDATABASE": "other", "PGUSER": "other", "PGPORT": "1",
    "PGCLIENTENCODING": "LATIN1", "PGTZ": "No/Where", "PGDATESTYLE": "German", "PGDATA": "/none",
    "PGPASSFILE": "/none", "PGAPPNAME": "x", "PGREQUIREPEER": "nobody", "PGGSSENCMODE": "require",
    "PGTARGETSESSIONATTRS": "standby", "PGCHANNELBINDING": "require", "PGREQUIREAUTH": "none",
    "PGSSLCERT": "/none", "PGSSLROOTCERT": "/none", "PGMINPROTOCOLVERSION": "3.2",
}  # fmt: skip


def test_a_postgresql_of_ours_is_started_and_asked_whatever_the_profile_says(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server itself reads PGDATESTYLE and PGCLIENTENCODING, and initdb PGDATA."""
    for name, value in ASTRAY.items():
        monkeypatch.setenv(name, value)
    with ServiceSession(settings, ["postgres"]) as started:
        server = started.servers["postgres"]
        assert not server.facts.is_pooler
        with session(server.url, 5.0) as connection:
            shown = "SELECT current_setting('DateStyle'), current_setting('TimeZone')"
            row = connection.execute(shown).fetchone()
            assert row is not None
            assert str(row[0]).startswith("ISO")
            assert row[1] != "No/Where"


def test_mysql_and_redis_of_ours_take_nothing_from_the_profile(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor from ~/.my.cnf, for PyMySQL reads no file unless it is named."""
    home = settings.temp_dir / "home"
    home.mkdir()
    (home / ".my.cnf").write_text("[client]\nuser=other\nssl-ca=/none\n[mysqld]\nport=1\n")
    astray = {
        "HOME": str(home), "MYSQL_UNIX_PORT": "/none", "MYSQL_TCP_PORT": "1", "MYSQL_PWD": "x",
        "MYSQL_HOST": "other", "MYSQL_HOME": str(home), "MYSQL_GROUP_SUFFIX": "x",
        "REDISCLI_AUTH": "x",
    }  # fmt: skip
    for name, value in astray.items():
        monkeypatch.setenv(name, value)
    with ServiceSession(settings, ["mysql", "redis"]) as started:
        assert set(started.servers) == {"mysql", "redis"}


@pytest.mark.parametrize(
    ("service", "url", "cause"),
    [
        ("redis", "redis://:secret@127.0.0.1:1/0?foo=bar", "the option foo"),
        ("mysql", "mysql://u:secret@127.0.0.1:1/d?foo=bar", "the option foo"),
        ("postgres", "postgresql://u:secret@127.0.0.1:1/d?foo=bar", "the option foo"),
        ("mongodb", "mongodb://u:secret@127.0.0.1:1/d?foo=bar", "Unknown option: foo"),
        ("redis", "redis://:secret@127.0.0.1:1/0", "refused"),
        ("mysql", "mysql://u:secret@127.0.0.1:1/d", "refused"),
        ("postgres", "postgresql://u:secret@127.0.0.1:1/d", "refused"),
        ("postgres", "postgresql://u:secret@127.0.0.1:1/d?sslmode=foo", "sslmode"),
        ("mysql", "mysql://u:secret@127.0.0.1:1/d?ssl_ca=none.pem", "No such file"),
        ("redis", "rediss://:secret@127.0.0.1:1/0?ssl_ca_certs=none.pem", "refused"),
        ("redis", "rediss://:secret@127.0.0.1:1/0?ssl_cert_reqs=foo", "ssl_cert_reqs|Requirements"),
    ],
)  # fmt: skip
def test_a_server_that_cannot_be_had_is_one_sentence_with_its_setting(
    settings: Settings, service: str, url: str, cause: str
) -> None:
    """Never a traceback; the user's PostgreSQL is refused before anything connects."""
    (status,) = server_status(replace(settings, urls={service: url}), [service])
    assert (status.state, status.health) == ("unavailable", "failing")
    assert f"PERF_PIPELINE_{service.upper()}_URL" in status.detail
    assert "secret" not in status.detail
    assert re.search(cause, status.detail), status.detail
