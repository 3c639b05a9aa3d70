"""A seeded run on four servers, and the interpreter of kailash's environment."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.target_spec import parse_target, with_defaults
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.servers.service import find_service
from perf_pipeline.targets.target import Job, ServerAccess, ServerAddress
from perf_pipeline.workload.dataset import results_name
from tests.integration.targets.bench import (
    KINDS,
    LEVEL,
    REDIS_PREFIX,
    SCHEMA,
    SEED,
    Bench,
    redis_prefix,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.servers.server import Server


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of kailash's environment, from the user's cache."""
    cache = current_settings().cache_dir
    environ = dict(os.environ)
    made = make_environment(
        parse_target("kailash"), cache_dir=cache, environ=environ, uv=find_uv(environ)
    )
    return made.python


@pytest.fixture(scope="session")
def seeded(
    servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerAccess]:
    """What a run has on every server; removed when the session ends."""
    names = {"postgres": SCHEMA, "redis": REDIS_PREFIX}
    addresses = {
        name: ServerAddress(server.url, names.get(name, results_name(SCHEMA)))
        for name, server in servers.items()
    }
    for service, (url, name, _) in addresses.items():
        find_service(service).storage.create(url, name, SEED)
    yield ServerAccess(
        addresses,
        connections=5,
        connection_timeout_s=30.0,
        files_dir=str(tmp_path_factory.mktemp("files")),
    )
    for service, (url, name, _) in addresses.items():
        find_service(service).storage.drop(url, name)


@pytest.fixture
def bench(
    python: Path, seeded: ServerAccess, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    """A job of every kind, with a run id of the test's own."""
    run_id = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    addresses = dict(seeded.addresses)
    addresses["redis"] = addresses["redis"]._replace(name=redis_prefix(run_id))
    servers = replace(seeded, addresses=addresses)
    bench = Bench(
        python,
        Job(KINDS, "lean", SEED, run_id, LEVEL, servers, with_defaults("kailash", {})),
        tmp_path,
    )
    yield bench
    for driver in bench.drivers:
        driver.end()
