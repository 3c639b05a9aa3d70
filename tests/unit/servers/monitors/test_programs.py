"""How each exporter is told to reach its server."""

from __future__ import annotations

import pytest

from perf_pipeline.servers.monitors.programs import exporter_of
from perf_pipeline.servers.server import Facts, Server

_FACTS = Facts("PostgreSQL", "15.18", {}, None)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", "sslmode=disable"),
        ("?sslmode=prefer", "sslmode=disable"),
        ("?sslmode=require", "sslmode=require"),
        (
            "?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3",
            "sslmode=verify-full&sslrootcert=%2Fca.pem",
        ),
    ],
)
def test_the_exporter_of_postgres_gets_only_tls_options_of_its_driver(
    query: str, options: str
) -> None:
    """Go's lib/pq has no sslmode ``prefer``; an exporter with it reports every server as down."""
    url = f"postgresql://u:secret@127.0.0.1:5432/d{query}"
    made = exporter_of(Server("postgres", url, "settings", _FACTS))
    assert made is not None
    assert made.environment["DATA_SOURCE_URI"] == f"127.0.0.1:5432/d?{options}"
