"""The engine, the images and the stack that the tests of this folder share, made once a session."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import current_settings
from tests.docker.compose_program import compose_on_path
from tests.docker.deployment import IMAGE, build_image
from tests.docker.engine import Engine, NoEngineError, docker_engine
from tests.docker.images import base_image, servers_image, toxiproxy
from tests.docker.stack_under_test import StackUnderTest, new_stack

if TYPE_CHECKING:
    from collections.abc import Iterator


COLD_S = 900
"""The first test of a session waits for the engine, for images and for the stack."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the time that a cold start takes on a slow, busy machine."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(COLD_S), append=False)


@pytest.fixture(scope="session")
def docker_cache() -> Path:
    """Where an engine, Compose and Toxiproxy are kept for the next session."""
    return current_settings().cache_dir / "docker"


@pytest.fixture(scope="session")
def engine(docker_cache: Path) -> Iterator[Engine]:
    """A Docker engine, with Compose; everything that follows talks to it by DOCKER_HOST."""
    before = dict(os.environ)
    try:
        with docker_engine(docker_cache) as found:
            compose_on_path(docker_cache)
            os.environ["DOCKER_HOST"] = found.host
            os.environ["DOCKER_BUILDKIT"] = "0"  # the layers of one builder are not the other's
            yield found
    except NoEngineError as error:
        pytest.skip(f"no Docker engine: {error}")
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def debian_servers(
    engine: Engine, docker_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The image of Debian's servers."""
    assert engine.host
    return servers_image(tmp_path_factory.mktemp("base"), docker_cache)


@pytest.fixture(scope="session")
def project_image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The project's image, built from this checkout."""
    assert engine.host
    base_image(tmp_path_factory.mktemp("base"))
    build_image()
    return IMAGE


@pytest.fixture(scope="session")
def stack(
    engine: Engine,
    debian_servers: str,
    docker_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StackUnderTest]:
    """Databases and monitoring, started by ``perf-pipeline start --stack`` and healthy."""
    assert debian_servers
    left_out = () if toxiproxy(docker_cache) else ("toxiproxy",)
    name = f"perf_pipeline_test{os.getpid()}"  # the alerts are about such names
    made = new_stack(name, engine, tmp_path_factory.mktemp("stack"), left_out=left_out)
    try:
        started = made.call("start", "--stack", "--profile", "databases", "--profile", "monitoring")
        assert started.code == 0, started.err + started.out
        yield made
    finally:
        ended = made.call("stop", "--volumes")
        assert ended.code == 0, ended.err
