"""Prometheus and Alertmanager with the configuration in ``infra/``, and the exporters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.servers.lifecycle.unpacked import unpacked_root
from perf_pipeline.servers.monitors.monitor import UNPACKED, Monitor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server

PROMETHEUS, ALERTMANAGER = "prometheus", "alertmanager"
_DATA = "blocks"
"""Name in Prometheus' folder of the folder with its data, where that is another's."""
INFRA = PROJECT / "infra"
RUNS = "runs"
"""Name in Prometheus' folder of the folder in which runs register."""
_TEMPLATES = "usr/share/prometheus/alertmanager"
_LIB_PQ_MODES = ("disable", "require", "verify-ca", "verify-full")
_LIB_PQ_FILES = ("sslrootcert", "sslcert", "sslkey")


def prometheus(
    scrape_dir: Path,
    targets: Mapping[str, str],
    texts: Mapping[str, str] | None = None,
    data_dir: Path | None = None,
) -> Monitor:
    """Return Prometheus with the project's rules.

    Args:
        scrape_dir: Folder in which runs register.
        targets: Job to the text of its file.
        texts: Its configuration and rules, name to text; default: those in ``infra/``.
        data_dir: Folder of its data, which stays; default: one in its own folder.
    """
    files = dict(prometheus_texts() if texts is None else texts)
    files.update((target_file_name(job), text) for job, text in targets.items())
    return Monitor(
        PROMETHEUS,
        PROMETHEUS,
        "prometheus",
        (
            "--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={{folder}}/{_DATA if data_dir else 'data'}",
            "--storage.tsdb.retention.time=15d",
            "--storage.tsdb.retention.size=1GB",
            "--web.listen-address={address}",
        ),
        files=files,
        links={RUNS: scrape_dir} | ({_DATA: data_dir} if data_dir else {}),
        environment={},
    )


def target_file_name(job: str) -> str:
    """Return the name below Prometheus' folder of the file with the addresses of a job."""
    return f"targets/{job}.yml"


def target_file(*urls: str) -> str:
    """Return the text of a file with addresses: JSON, which YAML can be."""
    return json.dumps([{"targets": [urlsplit(url).netloc for url in urls]}])


def prometheus_texts() -> dict[str, str]:
    """Return the configuration of Prometheus and its rules: name below its folder to text."""
    root = INFRA / "prometheus"
    paths = [root / "prometheus.yml", *sorted((root / "rules").glob("*.yml"))]
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in paths}


def alertmanager(settings: Settings, text: str | None = None) -> Monitor:
    """Return Alertmanager with the project's routes.

    Args:
        settings: Name the cache.
        text: Its configuration; default: that in ``infra/``.
    """
    config = text or (INFRA / "alertmanager/alertmanager.yml").read_text(encoding="utf-8")
    # An unpacked one looks for them in its working folder; see obtain.py.
    templates = unpacked_root(settings.cache_dir, UNPACKED) / _TEMPLATES
    own = {path.name: path.read_text(encoding="utf-8") for path in templates.glob("*.tmpl")}
    return Monitor(
        ALERTMANAGER,
        ALERTMANAGER,
        "prometheus-alertmanager",
        (
            "--config.file={folder}/alertmanager.yml",
            "--storage.path={folder}/data",
            "--data.retention=120h",
            "--cluster.listen-address=",
            "--web.listen-address={address}",
        ),
        files={"alertmanager.yml": config, **own},
        links={},
        environment={},
    )


def node_exporter() -> Monitor:
    """Return the exporter of this machine."""
    return _exporter("node", "node")


def exporter_of(server: Server) -> Monitor | None:
    """Return the exporter of a server that runs; None where there is none for its service.

    Passwords are in files that only this user can read, never among a process's arguments.
    """
    parts = urlsplit(server.url)
    host, port = parts.hostname or "", parts.port
    if server.service == "redis":
        address = f"{parts.scheme}://{host}:{port}"
        login = {"REDIS_USER": unquote(parts.username)} if parts.username else {}
        return _exporter(
            "redis",
            "redis",
            options=(f"--redis.addr={address}", *_redis_password(parts.password)),
            files={"password.json": json.dumps({address: unquote(parts.password or "")})},
            environment=login,
        )
    if server.service == "postgres":
        return _exporter(
            "postgres",
            "postgres",
            files={"password": unquote(parts.password or "")},
            environment={
                "DATA_SOURCE_URI": f"{host}:{port}{parts.path}?{_lib_pq_options(parts.query)}",
                "DATA_SOURCE_USER": unquote(parts.username or ""),
                "DATA_SOURCE_PASS_FILE": "{folder}/password",
            },
        )
    if server.service == "mysql":
        user = f"user={unquote(parts.username or '')}\npassword={unquote(parts.password or '')}\n"
        return _exporter(
            "mysql",
            "mysqld",
            options=("--config.my-cnf={folder}/my.cnf",),
            files={"my.cnf": f"[client]\nhost={host}\nport={port}\n{user}"},
        )
    return None


def _lib_pq_options(query: str) -> str:
    """Return the TLS options of a PostgreSQL URL for the exporter's driver, Go's lib/pq.

    It refuses libpq's ``prefer``, which is the default of a URL, and ``allow``: both try without
    TLS where the server has none, so it connects without.
    """
    given = {name: values[-1] for name, values in parse_qs(query).items()}
    files = {name: given[name] for name in _LIB_PQ_FILES if name in given}
    mode = given.get("sslmode")
    return urlencode({"sslmode": mode if mode in _LIB_PQ_MODES else "disable", **files})


def _redis_password(password: str | None) -> tuple[str, ...]:
    return ("--redis.password-file={folder}/password.json",) if password else ()


def _exporter(
    job: str,
    what: str,
    *,
    options: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
) -> Monitor:
    return Monitor(
        f"{job}_exporter",
        job,
        f"prometheus-{what}-exporter",
        ("--web.listen-address={address}", *options),
        files=files or {},
        links={},
        environment=environment or {},
    )
