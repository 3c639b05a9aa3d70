"""The URL through a proxy differs from the server's by its address alone."""

from __future__ import annotations

import pytest

from perf_pipeline.servers.service import AddressError
from perf_pipeline.servers.through_proxy import upstream_of, url_through


@pytest.mark.parametrize(
    ("service", "url", "through"),
    [
        (
            "postgres",
            "postgresql://u:p%40w@127.0.0.1:20331/perf?application_name=x",
            "postgresql://u:p%40w@127.0.0.1:9999/perf?application_name=x",
        ),
        ("mysql", "mysql://u:pw@db:3306/d", "mysql://u:pw@127.0.0.1:9999/d"),
        ("redis", "redis://:pw@127.0.0.1:6379/3", "redis://:pw@127.0.0.1:9999/3"),
        (
            "mongodb",
            "mongodb://127.0.0.1:27017/d?w=1",
            "mongodb://127.0.0.1:9999/d?w=1&directConnection=true",
        ),
        ("mongodb", "mongodb://h:27017", "mongodb://127.0.0.1:9999/?directConnection=true"),
    ],
)
def test_only_the_address_changes(service: str, url: str, through: str) -> None:
    """With directConnection, pymongo does not ask a server for others, past the proxy."""
    assert upstream_of(service, url)
    assert url_through(service, url, "127.0.0.1", 9999) == through


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("postgres", "postgresql://u:pw@h:5432/d?sslmode=disable"),
        ("postgres", "postgresql://u:pw@h:5432/d?sslmode=require"),
        ("mysql", "mysql://u:pw@h:3306/d?ssl_disabled=true"),
        ("mysql", "mysql://u:pw@h:3306/d?ssl-mode=DISABLED"),
        ("mongodb", "mongodb://h:27017/d?tls=false"),
    ],
)
def test_tls_that_asks_for_no_name_is_no_obstacle(service: str, url: str) -> None:
    assert upstream_of(service, url)[0] == "h"


@pytest.mark.parametrize(
    ("service", "url", "text"),
    [
        ("postgres", "postgresql://u:pw@/d?host=a,b&port=1,2", "2 TCP addresses"),
        ("postgres", "postgresql://u@/d?host=/run/postgresql", "0 TCP addresses"),
        ("postgres", "postgresql://u@h:5432/d?hostaddr=10.0.0.1", "lead past a proxy"),
        ("postgres", "postgresql://u@h:5432/d?sslmode=verify-full", "TLS"),
        ("redis", "rediss://h:6379/0", "TLS"),
        ("mysql", "mysql://u:pw@h:3306/d?ssl_verify_identity=true", "TLS"),
        ("mongodb", "mongodb://h:27017/d?tls=true", "TLS"),
        ("mongodb", "mongodb://a:1,b:2/d", "2 TCP addresses"),
        ("mongodb", "mongodb://a:1/d?replicaSet=r", "lead past a proxy"),
        ("mysql", "mysql://u:pw@/d?unix_socket=/run/s", "0 TCP addresses"),
    ],
)
def test_a_url_that_would_go_past_a_proxy_is_refused(service: str, url: str, text: str) -> None:
    with pytest.raises(AddressError, match=text):
        upstream_of(service, url)
