"""What threads wait for, reported from the stacks of threads that really wait."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError
from redis import BlockingConnectionPool, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from perf_pipeline.worker.waits import EVERY_MAX_NS, THREADS, WaitSampler, sample_every_ns, where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


_SITE = "/venv/lib/python3.11/site-packages"


@contextlib.contextmanager
def _thread(work: Callable[[], object]) -> Iterator[int]:
    """Run ``work`` in a thread and yield its identifier; ``work`` must end by itself soon."""
    thread = threading.Thread(target=work)
    thread.start()
    assert thread.ident is not None
    try:
        yield thread.ident
    finally:
        thread.join(10)


def _settled(ident: int, seconds: float = 5.0) -> str:
    """Return what a thread does once ten samples in a row agree."""
    seen: list[str] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seen.append(where(sys._current_frames().get(ident)))
        if len(seen) >= 10 and len(set(seen[-10:])) == 1:
            return seen[-1]
        time.sleep(0.02)
    raise AssertionError(f"never settled: {seen}")


def test_a_thread_that_waits_for_a_connection_of_a_full_sqlalchemy_pool_waits_for_the_pool() -> (
    None
):
    connection: Any = SimpleNamespace(rollback=lambda: None, close=lambda: None)
    pool = QueuePool(lambda: connection, pool_size=1, max_overflow=0, timeout=1.0)
    taken = pool.connect()

    def wait() -> None:
        with contextlib.suppress(Exception):
            pool.connect().close()

    with _thread(wait) as ident:
        place = _settled(ident)
    taken.close()

    assert place == "pool"


def test_a_thread_that_waits_for_a_full_redis_pool_waits_for_the_pool() -> None:
    pool: Any = BlockingConnectionPool(max_connections=1, timeout=1)  # type: ignore[no-untyped-call]
    pool.pool.get_nowait()

    def wait() -> None:
        with contextlib.suppress(RedisConnectionError):
            pool.get_connection()

    with _thread(wait) as ident:
        assert _settled(ident) == "pool"


def test_a_thread_that_waits_for_redis_to_answer_waits_for_redis(
    silent_server: tuple[str, int],
) -> None:
    """The server accepts and sends nothing."""
    host, port = silent_server
    pool = ConnectionPool(host=host, port=port, socket_timeout=1)

    def wait() -> None:
        with contextlib.suppress(Exception):
            pool.get_connection()

    with _thread(wait) as ident:
        assert _settled(ident) == "redis"


def test_a_thread_that_waits_for_mysql_to_answer_waits_for_mysql(
    silent_server: tuple[str, int],
) -> None:
    """The server accepts and sends nothing; SQLAlchemy's engine and pool are below the driver."""
    host, port = silent_server
    engine = create_engine(
        f"mysql+pymysql://root@{host}:{port}/d", connect_args={"read_timeout": 0.5}
    )

    def wait() -> None:
        with contextlib.suppress(OperationalError):
            engine.connect()

    with _thread(wait) as ident:
        assert _settled(ident) == "mysql"


def test_a_thread_that_waits_for_a_full_mongodb_pool_waits_for_the_pool_and_else_for_mongodb(
    silent_server: tuple[str, int],
) -> None:
    """The client finds no server that speaks; a full pool is reported from the stack alone."""
    host, port = silent_server
    with MongoClient[dict[str, Any]](
        host, port, serverSelectionTimeoutMS=500, connectTimeoutMS=500
    ) as client:

        def wait() -> None:
            with contextlib.suppress(ServerSelectionTimeoutError):
                client.admin.command("ping")

        with _thread(wait) as ident:
            assert _settled(ident) == "mongodb"
    condition = ("/usr/lib/python3.11/threading.py", f"{_SITE}/pymongo/lock.py")
    pool = f"{_SITE}/pymongo/synchronous/pool.py"
    assert where(_stack(*condition, pool, name="_get_conn")) == "pool"
    assert where(_stack(*condition, pool, name="connect")) == "mongodb"


def test_a_thread_that_computes_or_waits_elsewhere_is_in_the_runtime() -> None:
    assert where(sys._getframe()) == "runtime"
    assert where(None) == "runtime"
    waiting = threading.Event()
    with _thread(lambda: waiting.wait(1)) as ident:
        assert _settled(ident) == "runtime"


def _stack(*paths: str, name: str = "f") -> FrameType:
    """Return a made-up stack, innermost first; ``name`` is the outermost function's."""
    frame = None
    for path in reversed(paths):
        code = SimpleNamespace(co_filename=path, co_name="f" if frame else name)
        frame = SimpleNamespace(f_code=code, f_back=frame)
    return cast("FrameType", frame)


def test_a_connect_inside_a_pool_waits_for_the_server() -> None:
    pooled = (f"{_SITE}/sqlalchemy/engine/default.py", f"{_SITE}/sqlalchemy/pool/impl.py")

    assert where(_stack(f"{_SITE}/psycopg2/__init__.py", *pooled)) == "postgres"
    assert where(_stack("/usr/lib/python3/dist-packages/psycopg2/__init__.py")) == "postgres"
    assert where(_stack(*pooled)) == "postgres"
    assert where(_stack(pooled[1])) == "pool"


def test_the_folder_of_an_environment_does_not_classify_its_threads() -> None:
    """A project below /srv/redis/ is not a Redis client."""
    assert where(_stack("/srv/redis/perf/lib/python3.11/threading.py")) == "runtime"
    assert where(_stack("/srv/psycopg2/x.py", "/home/sqlalchemy/pool/x.py")) == "runtime"


def test_threads_are_sampled_at_most_every_two_seconds_and_at_most_so_many() -> None:
    threads = list(range(1000))
    frames = dict.fromkeys(threads, _stack("/x.py"))
    asked = []

    def current() -> dict[int, FrameType]:
        asked.append(1)
        return frames

    sampler = WaitSampler(threads, current)

    assert sampler(10) == {"runtime": THREADS}
    assert sampler(10 + EVERY_MAX_NS - 1) == {}
    assert sampler(10 + EVERY_MAX_NS) == {"runtime": THREADS}
    assert len(asked) == 2


def test_few_workflows_are_sampled_more_often_and_many_at_most_fifty_times_a_second() -> None:
    """1 thread gives 2 samples a second, 25 give 50, 100 of 1000 give 50."""
    each_s = {count: sample_every_ns(count) / 1e9 for count in (0, 1, 25, 100, 10_000)}
    assert each_s == {0: 0.5, 1: 0.5, 25: 0.5, 100: 2.0, 10_000: 2.0}


def test_threads_that_have_ended_are_not_counted() -> None:
    frames = {1: _stack("/x.py"), 3: _stack(f"{_SITE}/sqlalchemy/pool/impl.py")}
    sampler = WaitSampler([1, 2, 3, 4], lambda: frames)

    assert sampler(0) == {"runtime": 1, "pool": 1}
