"""With what the drivers of the harness really raise; those of psycopg2 are met in integration."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import threading
from typing import TYPE_CHECKING

import psycopg
import pymysql
import pytest
import redis
import sqlalchemy
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, NotPrimaryError, OperationFailure, WaitQueueTimeoutError
from redis.backoff import NoBackoff
from redis.retry import Retry

from perf_pipeline.samples.record import ErrorClass
from perf_pipeline.targets.classification import classify
from perf_pipeline.targets.target import WrongResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def raised_by(action: Callable[[], object]) -> BaseException:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - whatever the driver raises is what is wanted
        return error
    raise AssertionError("nothing was raised")


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def hanging_up_port() -> Iterator[int]:
    """A port that accepts and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    connection.recv(100)
                    connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def redis_client(port: int) -> redis.Redis:
    return redis.Redis(port=port, socket_timeout=0.05, retry=Retry(NoBackoff(), 0))


def mysql_connection(port: int) -> pymysql.Connection[pymysql.cursors.Cursor]:
    return pymysql.connect(host="127.0.0.1", port=port, connect_timeout=1, read_timeout=0.05)


def insert_document(port: int) -> object:
    url = f"mongodb://127.0.0.1:{port}/x"
    with MongoClient[dict[str, object]](
        url, serverSelectionTimeoutMS=300, connectTimeoutMS=50
    ) as c:
        return c["x"]["y"].insert_one({})


def test_a_refused_connection_is_a_connection_error(closed_port: int) -> None:
    for action in (
        lambda: psycopg.connect(f"postgresql://x@127.0.0.1:{closed_port}/x"),
        lambda: redis_client(closed_port).get("key"),
        lambda: mysql_connection(closed_port),
        lambda: insert_document(closed_port),
        lambda: socket.create_connection(("127.0.0.1", closed_port)),
    ):
        assert classify(raised_by(action)) is ErrorClass.CONNECTION


def test_a_server_that_hangs_up_is_a_connection_error(hanging_up_port: int) -> None:
    for action in (redis_client(hanging_up_port).ping, lambda: insert_document(hanging_up_port)):
        assert classify(raised_by(action)) is ErrorClass.CONNECTION


def test_a_server_that_does_not_answer_is_a_timeout(silent_port: int) -> None:
    for action in (
        redis_client(silent_port).ping,
        lambda: mysql_connection(silent_port),
        lambda: insert_document(silent_port),
    ):
        assert classify(raised_by(action)) is ErrorClass.TIMEOUT


def test_a_full_sqlalchemy_pool_is_exhaustion_although_its_text_says_timed_out() -> None:
    pool = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.01}
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.QueuePool, **pool)
    with engine.connect():
        error = raised_by(engine.connect)
    assert "timed out" in str(error)
    assert classify(error) is ErrorClass.RESOURCE_EXHAUSTION


def test_a_full_redis_pool_is_exhaustion_although_it_is_a_connection_error() -> None:
    plain = redis.ConnectionPool(max_connections=1)
    plain.make_connection()
    waiting = redis.BlockingConnectionPool(1, 0.01)  # type: ignore[no-untyped-call]
    waiting.pool.get()
    for error in (raised_by(plain.make_connection), raised_by(waiting.get_connection)):
        assert isinstance(error, redis.ConnectionError)
        assert classify(error) is ErrorClass.RESOURCE_EXHAUSTION


def test_running_out_of_descriptors_is_exhaustion() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        error = raised_by(lambda: os.open("/", os.O_RDONLY))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert isinstance(error, OSError)
    assert error.errno == errno.EMFILE
    assert classify(error) is ErrorClass.RESOURCE_EXHAUSTION


def test_a_kernels_error_that_a_runtime_hands_on_as_text_is_exhaustion_only_if_it_is_one() -> None:
    handed_on = RuntimeError("node 'ask' failed: [Errno 99] Cannot assign requested address")
    other = RuntimeError("node 'ask' failed: [Errno 2] No such file or directory")

    assert classify(handed_on) is ErrorClass.RESOURCE_EXHAUSTION
    assert classify(other) is ErrorClass.WORKFLOW_ERROR
    assert classify(BlockingIOError(errno.EAGAIN, "fork")) is ErrorClass.RESOURCE_EXHAUSTION


def test_wrapping_does_not_hide_what_the_driver_raised(closed_port: int) -> None:
    """As kailash does: it wraps three times, and its RedisNode without naming the cause."""
    try:
        try:
            redis_client(closed_port).get("key")
        except redis.RedisError as error:
            raise RuntimeError(f"Redis operation failed: {error}")  # noqa: B904 - as RedisNode does
    except RuntimeError as error:
        outer = ValueError("Node 'cache' failed")
        outer.__cause__ = error
    assert classify(outer) is ErrorClass.CONNECTION


def test_the_last_of_two_failures_decides() -> None:
    """A lost connection was handled; opening another one then met a full pool."""
    pool = redis.BlockingConnectionPool(1, 0.01)  # type: ignore[no-untyped-call]
    pool.pool.get()

    def reconnect() -> None:
        try:
            raise ConnectionResetError  # noqa: TRY301 - the driver's own reads so
        except ConnectionResetError:
            pool.get_connection()  # type: ignore[no-untyped-call]

    assert classify(raised_by(reconnect)) is ErrorClass.RESOURCE_EXHAUSTION


def test_text_among_a_statements_parameters_does_not_count() -> None:
    """SQLAlchemy's text repeats them; the driver's own error below it says what happened."""
    engine = sqlalchemy.create_engine("sqlite://")
    statement = sqlalchemy.text("SELECT :word FROM nowhere")
    with engine.connect() as connection:
        error = raised_by(lambda: connection.execute(statement, {"word": "statement timeout"}))
    assert "statement timeout" in str(error)
    assert classify(error) is ErrorClass.WORKFLOW_ERROR


def test_what_was_handled_before_does_not_count_when_the_error_excludes_it() -> None:
    """``raise ... from None`` keeps the context and says that it does not matter."""
    error = ValueError("bad row")
    error.__context__ = TimeoutError()
    assert classify(error) is ErrorClass.TIMEOUT
    error.__suppress_context__ = True
    assert classify(error) is ErrorClass.WORKFLOW_ERROR


def test_a_workflows_own_text_does_not_make_it_a_timeout() -> None:
    error = ValueError("connection refused: timed out waiting for too many clients")
    assert classify(error) is ErrorClass.WORKFLOW_ERROR


def test_a_wrong_result_is_its_own_class_even_while_something_else_is_handled() -> None:
    error = WrongResultError("node total: no result")
    error.__context__ = TimeoutError()
    assert classify(error) is ErrorClass.WRONG_RESULT


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), ErrorClass.RESOURCE_EXHAUSTION),
        (RuntimeError("can't start new thread"), ErrorClass.RESOURCE_EXHAUSTION),
        (RuntimeError("no running event loop"), ErrorClass.WORKFLOW_ERROR),
        (TimeoutError(), ErrorClass.TIMEOUT),
        (BrokenPipeError(), ErrorClass.CONNECTION),
        (FileNotFoundError(errno.ENOENT, "no such file"), ErrorClass.WORKFLOW_ERROR),
        (ZeroDivisionError(), ErrorClass.WORKFLOW_ERROR),
        (SystemExit(3), ErrorClass.OTHER),
    ],
)
def test_builtin_exceptions_have_the_class_of_what_they_mean(
    error: BaseException, expected: ErrorClass
) -> None:
    assert classify(error) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.errors.AdminShutdown(), ErrorClass.CONNECTION),
        (psycopg.errors.CannotConnectNow(), ErrorClass.CONNECTION),
        (psycopg.errors.ConnectionFailure(), ErrorClass.CONNECTION),
        (psycopg.errors.QueryCanceled(), ErrorClass.TIMEOUT),
        (psycopg.errors.LockNotAvailable(), ErrorClass.TIMEOUT),
        (psycopg.errors.TooManyConnections(), ErrorClass.RESOURCE_EXHAUSTION),
        (psycopg.errors.DiskFull(), ErrorClass.RESOURCE_EXHAUSTION),
        (psycopg.errors.UniqueViolation("timed out"), ErrorClass.WORKFLOW_ERROR),
        (psycopg.errors.UndefinedTable("connection refused"), ErrorClass.WORKFLOW_ERROR),
    ],
    ids=lambda value: getattr(value, "sqlstate", None) or getattr(value, "name", ""),
)
def test_a_database_error_has_the_class_of_its_sqlstate_regardless_of_its_text(
    error: BaseException, expected: ErrorClass
) -> None:
    assert classify(error) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (pymysql.OperationalError(1040, "Too many connections"), ErrorClass.RESOURCE_EXHAUSTION),
        (pymysql.OperationalError(1114, "The table 'r' is full"), ErrorClass.RESOURCE_EXHAUSTION),
        (pymysql.OperationalError(1205, "Lock wait timeout exceeded"), ErrorClass.TIMEOUT),
        (pymysql.OperationalError(1969, "max_statement_time exceeded"), ErrorClass.TIMEOUT),
        (pymysql.OperationalError(1927, "Connection was killed"), ErrorClass.CONNECTION),
        (pymysql.OperationalError(2006, "MySQL server has gone away"), ErrorClass.CONNECTION),
        (pymysql.OperationalError(2013, "Lost connection (timed out)"), ErrorClass.TIMEOUT),
        (pymysql.OperationalError(2013, "Lost connection"), ErrorClass.CONNECTION),
        (
            pymysql.OperationalError(2003, "[Errno 24] Too many open files"),
            ErrorClass.RESOURCE_EXHAUSTION,
        ),
        (pymysql.InterfaceError(0, ""), ErrorClass.CONNECTION),
        (pymysql.IntegrityError(1062, "Duplicate entry 'timed out'"), ErrorClass.WORKFLOW_ERROR),
        (pymysql.ProgrammingError(1146, "connection refused"), ErrorClass.WORKFLOW_ERROR),
        (OperationFailure("operation exceeded time limit", 50), ErrorClass.TIMEOUT),
        (OperationFailure("disk space", 14031), ErrorClass.RESOURCE_EXHAUSTION),
        (NotPrimaryError("stepping down", {"code": 189}), ErrorClass.CONNECTION),
        (OperationFailure("E11000 duplicate key: timed out", 11000), ErrorClass.WORKFLOW_ERROR),
        (AutoReconnect("it went away"), ErrorClass.CONNECTION),
        (AutoReconnect("[Errno 24] Too many open files"), ErrorClass.RESOURCE_EXHAUSTION),
        (WaitQueueTimeoutError("Timed out while checking out"), ErrorClass.RESOURCE_EXHAUSTION),
    ],
    ids=lambda value: getattr(value, "name", "") or f"{type(value).__name__} {value.args[0]}",
)
def test_errors_of_mysql_and_mongodb_have_the_class_of_their_code_else_of_their_text(
    error: BaseException, expected: ErrorClass
) -> None:
    assert classify(error) is expected


def test_a_chain_that_bites_its_tail_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert classify(one) is ErrorClass.WORKFLOW_ERROR
