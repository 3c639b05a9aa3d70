"""The user's own servers over TLS: status, probe and workers connect with the same options."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from perf_pipeline.config.settings import Settings, read_settings
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.loadgen.environment.server_trial import refuse_unreachable
from perf_pipeline.loadgen.run_data import RunData
from perf_pipeline.loadgen.users_servers import refuse_unprivileged
from perf_pipeline.servers.lifecycle.resolve import running_server
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.mysql import service as mysql
from perf_pipeline.servers.postgres import service as postgres
from perf_pipeline.servers.service import find_service
from tests.integration.conftest import settings_in
from tests.integration.targets.certificates import Certificates, make_certificates
from tests.integration.targets.pooler import pooler
from tests.integration.targets.relay import relay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

SERVICES = ("postgres", "mysql", "redis", "mongodb")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls") / "certificates")


@pytest.fixture(scope="module")
def tls_urls(
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
    mariadb: None,  # noqa: ARG001
    servers: dict[str, Server],
) -> Iterator[dict[str, str]]:
    """URLs without options of four servers that speak TLS, as localhost.

    PostgreSQL and MariaDB do so themselves. The Redis and the MongoDB that can be had everywhere
    do not, so a relay does.
    """
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, key in (("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key")):
            patch.setitem(postgres._OPTIONS, name, certificates[key])
        patch.setitem(postgres._OPTIONS, "ssl", "on")
        for name, key in (("ssl-cert", "server.pem"), ("ssl-key", "server.key")):
            patch.setitem(mysql._OPTIONS, name, certificates[key])
        settings = settings_in(tmp_path_factory.mktemp("servers"))
        own = stack.enter_context(ServiceSession(settings, ("postgres", "mysql"))).servers
        urls = {name: server.url.replace("127.0.0.1", "localhost") for name, server in own.items()}
        # The user of the embedded MariaDB is one of 127.0.0.1, which localhost is to it.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates["server.pem"], certificates["server.key"])
        ports = {
            name: stack.enter_context(relay(_port(servers[name].url), tls=context))
            for name in ("redis", "mongodb")
        }
        urls["redis"] = f"rediss://localhost:{ports['redis']}/0"
        urls["mongodb"] = f"mongodb://localhost:{ports['mongodb']}/perf_pipeline"
        yield urls


OPTIONS = {
    "postgres": "sslmode=verify-full&sslrootcert={}",
    "mysql": "ssl_ca={}",
    "redis": "ssl_ca_certs={}",
    "mongodb": "tls=true&tlsCAFile={}",
}


def named(url: str, service: str, folder: Path) -> Settings:
    given = {"HOME": str(folder), f"PERF_PIPELINE_{service.upper()}_URL": url}
    return read_settings(given, current_dir=folder)


@pytest.mark.parametrize("service", SERVICES)
def test_a_worker_and_the_probe_speak_tls_with_a_relative_authority(
    service: str, tls_urls: dict[str, str], certificates: Certificates, python: Path
) -> None:
    """The worker has another folder and another HOME than the settings."""
    url = f"{tls_urls[service]}?{OPTIONS[service].format('ca.pem')}"
    server, _ = running_server(named(url, service, certificates.folder), service)
    assert server is not None
    refuse_unreachable([server], "control", python)
    probe = find_service(service).open_probe(server.url, "nobody")
    assert probe.ask().connections.how
    probe.close()


@pytest.mark.parametrize("service", SERVICES)
def test_a_server_of_another_authority_is_refused_by_harness_and_worker(
    service: str, tls_urls: dict[str, str], certificates: Certificates, python: Path
) -> None:
    """Each for itself, since each has a driver of its own."""
    url = f"{tls_urls[service]}?{OPTIONS[service].format('ca.pem')}"
    server, _ = running_server(named(url, service, certificates.folder), service)
    assert server is not None
    wrong = f"{tls_urls[service]}?{OPTIONS[service].format('other-ca.pem')}"
    with pytest.raises(ServiceUnavailableError, match=r"does not answer.*certificate verify fail"):
        running_server(named(wrong, service, certificates.folder), service)
    elsewhere = type(server)(
        service, server.url.replace("ca.pem", "other-ca.pem"), "settings", server.facts
    )
    with pytest.raises(ServiceUnavailableError, match=r"not a worker of control.*certificate v"):
        refuse_unreachable([elsewhere], "control", python)


def test_a_pooler_in_transaction_mode_works_and_nothing_of_ours_stays_on_it(
    servers: dict[str, Server], python: Path, tmp_path: Path
) -> None:
    """Neither a setting nor a prepared statement; a whole run's data are made through it."""
    direct = servers["postgres"].url
    with pooler(_port(direct)) as between:
        url = direct.replace(f":{_port(direct)}/", f":{between.port}/")
        server, _ = running_server(named(url, "postgres", tmp_path), "postgres")
        assert server is not None
        assert between.refused == 1
        assert server.facts.is_pooler
        assert "pooler" in server.record().settings
        refuse_unreachable([server], "control", python)
        refuse_unprivileged([server])
        data = RunData(server, "r-pooler")
        assert data.seed(1)
        assert data.written_numbers(0) == set()
        data.settle()
        probe = data.watched().probe
        for _ in range(7):  # psycopg would prepare a statement at the sixth
            probe.ask()
        probe.close()
        postgres.storage.drop(server.url, data.name)
        assert between.refused == 1
        assert between.lasting == []
    assert not servers["postgres"].facts.is_pooler


def _port(url: str) -> int:
    return urlsplit(url).port or 0
