"""A URL of the user's means to a worker what libpq makes of it in the user's session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.servers.postgres.address import complete_url
from perf_pipeline.servers.postgres.session_variables import without_session_variables
from perf_pipeline.servers.service import AddressError
from perf_pipeline.workload.sql_urls import postgres_arguments

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME, and no variables of libpq's."""
    for name in list(os.environ):
        if name.startswith("PG"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("postgresql://u:p%40w@h/d", {"host": "h", "port": "5432", "password": "p@w"}),
        ("postgresql://u@[::1]:1/d", {"host": "::1", "port": "1", "user": "u"}),
        ("postgresql://u@h1:1,h2:2/d?target_session_attrs=primary",
         {"host": "h1,h2", "port": "1,2", "target_session_attrs": "primary"}),
        ("postgresql://u@h1,h2/d", {"host": "h1,h2", "dbname": "d"}),
        ("postgresql://u@/d?host=/run/postgresql", {"host": "/run/postgresql"}),
        ("postgresql://u@%2Frun%2Fpostgresql:7/d", {"host": "/run/postgresql", "port": "7"}),
        ("postgresql://some%20one:a%2Fb%3Ac%25d'--;@h", {"user": "some one",
         "password": "a/b:c%d'--;", "dbname": "some one"}),
    ],
)  # fmt: skip
def test_every_form_of_libpqs_reaches_a_worker(
    url: str, arguments: dict[str, str], tmp_path: Path
) -> None:
    """Completed twice, as for the Dagster process, it stays as it is."""
    complete = complete_url(url, tmp_path)
    assert postgres_arguments(complete).items() >= arguments.items()
    assert complete_url(complete, tmp_path) == complete


def test_what_a_url_does_not_name_the_users_session_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As libpq documents; the name and time limit of a connection are the harness's."""
    session = {
        "PGHOST": "a", "PGPORT": "7", "PGUSER": "me", "PGDATABASE": "db", "PGPASSWORD": "p w",
        "PGSSLMODE": "require", "PGOPTIONS": "-c jit=off", "PGHOSTADDR": "10.0.0.1",
        "PGAPPNAME": "x", "PGCONNECT_TIMEOUT": "3", "PGCLIENTENCODING": "latin1",
    }  # fmt: skip
    for name, value in session.items():
        monkeypatch.setenv(name, value)
    assert postgres_arguments(complete_url("postgresql://", tmp_path)) == {
        "host": "a", "port": "7", "user": "me", "dbname": "db", "password": "p w",
        "sslmode": "require", "options": "-c jit=off", "hostaddr": "10.0.0.1",
        "client_encoding": "latin1",
    }  # fmt: skip
    named = postgres_arguments(complete_url("postgresql://u@b:1/d?sslmode=disable", tmp_path))
    assert (named["host"], named["user"], named["sslmode"]) == ("b", "u", "disable")


def test_files_of_the_home_and_relative_ones_become_absolute(home: Path) -> None:
    """A worker has another HOME and another folder."""
    (home / ".postgresql").mkdir()
    (home / ".postgresql/root.crt").touch()
    (home / ".pgpass").touch()
    found = postgres_arguments(complete_url("postgresql://h/d?sslcert=my.crt", home / "here"))
    assert found["sslrootcert"] == str(home / ".postgresql/root.crt")
    assert found["passfile"] == str(home / ".pgpass")
    assert found["sslcert"] == str(home / "here/my.crt")
    system = complete_url("postgresql://h/d?sslrootcert=system", home)
    assert postgres_arguments(system)["sslrootcert"] == "system"


def test_a_service_is_looked_up_and_one_that_is_missing_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".pg_service.conf").write_text("[mine]\nhost=s\nport=9\ndbname=sd\n")
    found = postgres_arguments(complete_url("postgresql://u@/?service=mine", home))
    assert (found["host"], found["port"], found["dbname"]) == ("s", "9", "sd")
    assert "PGSERVICE" not in os.environ
    monkeypatch.setenv("PGSERVICE", "mine")
    assert postgres_arguments(complete_url("postgresql://u@/", home))["host"] == "s"
    with pytest.raises(AddressError, match='"other" not found'):
        complete_url("postgresql://u@/?service=other", home)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("postgresql://u:secret@h/d?foo=bar", "the option foo, which libpq does not know"),
        ("postgresql://u:secret@/d", "names no host, and neither does PGHOST"),
    ],
)
def test_what_libpq_refuses_is_named_without_a_password(
    url: str, fault: str, tmp_path: Path
) -> None:
    with pytest.raises(AddressError, match=fault) as raised:
        complete_url(url, tmp_path)
    assert "secret" not in str(raised.value)


def test_libpqs_variables_are_hidden_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that only begins alike is another program's."""
    monkeypatch.setenv("PGSERVICE", "x")
    monkeypatch.setenv("PGp_mine", "x")
    with without_session_variables():
        assert "PGSERVICE" not in os.environ
        assert "PGp_mine" in os.environ
    assert os.environ["PGSERVICE"] == "x"
