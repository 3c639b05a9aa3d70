"""A stack of two databases, made container by container as Compose labels them, and a load on each.

It is beside any stack of Compose's, has its own network and is removed by its label.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
import redis

from perf_pipeline.config.stack_settings import StackSettings
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports
from perf_pipeline.servers.service import NotAnsweringError, find_service
from perf_pipeline.servers.stack.running_stack import running_stack
from tests.sandbox import until

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from pathlib import Path

PASSWORD = "a%b/c"
_READY_S = 60.0
_FILLED_BYTES = 150_000_000
"""More than the memory that tests leave to PostgreSQL; a crash empties the table."""
_COMMANDS = {
    "postgres": [
        "/entrypoints/postgres.sh",
        "postgres",
        "-c",
        "listen_addresses=*",
        "-c",
        "shared_buffers=16MB",
    ],
    "redis": [
        *("redis-server", "--protected-mode", "no", "--save", "", "--maxmemory", "1gb"),
        *("--requirepass", PASSWORD),
    ],
}
_PORTS = {"postgres": 5432, "redis": 6379}


@contextmanager
def container_stack(
    socket: Path, image: str, folder: Path, rng: random.Random
) -> Iterator[StackSettings]:
    """Start the containers for the block, and wait until they answer.

    Args:
        socket: The engine's.
        image: Has the servers and their entrypoints.
        folder: Takes the env file.
        rng: Draws the ports: fixed ones, as those that an engine draws change with each start.
    """
    name = f"ppfaults{os.getpid()}"
    ports = free_ports(rng, ephemeral_range())
    env_file = folder / "stack.env"
    names = [f"PERF_PIPELINE_{service.upper()}_PASSWORD" for service in _COMMANDS]
    env_file.write_text("".join(f"{one}={PASSWORD}\n" for one in names), encoding="utf-8")
    setup = folder / "setup"
    setup.mkdir()
    (setup / "filler.sql").write_text(
        "CREATE UNLOGGED TABLE filler (text TEXT);\n"
        "ALTER TABLE filler ALTER text SET STORAGE PLAIN;\n",
        encoding="utf-8",
    )
    settings = StackSettings(docker_socket=socket, name=name, env_file=env_file)
    docker(socket, "network", "create", name)
    try:
        for service, command in _COMMANDS.items():
            docker(
                socket,
                *("run", "--detach", "--name", f"{name}_{service}", "--network", name),
                *("--network-alias", service, "--cpus", "1.5", "--memory", "768m"),
                *("--label", f"com.docker.compose.project={name}"),
                *("--label", f"com.docker.compose.service={service}"),
                *("--publish", f"127.0.0.1:{next(ports)}:{_PORTS[service]}"),
                *("--volume", f"{setup}:/docker-entrypoint-initdb.d:ro"),
                *("--env", "POSTGRES_USER=perf_user", "--env", "POSTGRES_DB=perf_pipeline"),
                *("--env", f"POSTGRES_PASSWORD={PASSWORD}"),
                *("--entrypoint", command[0], image, *command[1:]),
            )
        assert until(lambda: _all_answer(settings), _READY_S), docker(socket, "ps", "--all")
        yield settings
    finally:
        label = f"label=com.docker.compose.project={name}"
        left = docker(socket, "ps", "--all", "--quiet", "--filter", label).split()
        if left:
            docker(socket, "rm", "--force", "--volumes", *left)
        docker(socket, "network", "rm", name)


def docker(socket: Path, *words: str) -> str:
    """Run ``docker`` on an engine; it must succeed."""
    command = ["docker", "--host", f"unix://{socket}", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def _all_answer(settings: StackSettings) -> bool:
    urls = running_stack(settings).urls
    try:
        for service, url in urls.items():
            find_service(service).identify(url, 2.0)
    except NotAnsweringError:
        return False
    return set(urls) == set(_COMMANDS)


@contextmanager
def load_on(service: str, url: str) -> Iterator[None]:
    """Keep a server at work for the block: Redis's processor, PostgreSQL's files and page cache.

    The block begins once PostgreSQL has more in its page cache than a limit would leave it.
    """
    ended = threading.Event()
    threads = [
        threading.Thread(target=_loaded, args=(_WORK[service], url, ended)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    try:
        if service == "postgres":
            assert until(lambda: _filled_bytes(url) > _FILLED_BYTES, _READY_S, every_s=0.2)
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _loaded(work: Callable[[str, threading.Event], None], url: str, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(psycopg.Error, redis.RedisError):
            work(url, ended)
        time.sleep(0.05)


def _load_redis(url: str, ended: threading.Event) -> None:
    script = "local n = 0; for i = 1, 200000 do n = n + i end; return n"
    with redis.Redis.from_url(url, socket_timeout=2.0) as client:
        while not ended.is_set():
            client.eval(script, 0)


def _load_postgres(url: str, ended: threading.Event) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
        connection.execute("SET statement_timeout = 5000")
        while not ended.is_set():
            if connection.execute("SELECT pg_relation_size('filler') < 3e8").fetchone() == (True,):
                connection.execute(
                    "INSERT INTO filler SELECT repeat(i::TEXT, 200) FROM generate_series(1, 9999) i"
                )
            connection.execute("SELECT sum(length(text)) FROM filler")


def _filled_bytes(url: str) -> int:
    with psycopg.connect(url, connect_timeout=2) as connection:
        row = connection.execute("SELECT pg_relation_size('filler')").fetchone()
    assert row is not None
    return int(row[0])


_WORK = {"postgres": _load_postgres, "redis": _load_redis}
