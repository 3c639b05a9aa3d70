"""From an exception of a database's driver to the closed list of error classes.

A driver's exception is recognised by the server's code, by its type, or only by its text, in this
order. A code that is not listed means that the server refused the statement.
Types are compared by name, for this module must work where a driver is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.record import ErrorClass

if TYPE_CHECKING:
    from collections.abc import Mapping

DRIVERS = frozenset({"psycopg2", "psycopg", "pymysql", "pymongo", "redis", "sqlalchemy"})
"""Packages whose exceptions ``of_driver`` reads."""

_CONNECTION = ErrorClass.CONNECTION
_TIMEOUT = ErrorClass.TIMEOUT
_EXHAUSTION = ErrorClass.RESOURCE_EXHAUSTION

_SQLSTATES = {  # PostgreSQL manual, appendix A
    "08": _CONNECTION,  # connection exception
    "57P": _CONNECTION,  # admin shutdown, crash shutdown, cannot connect now
    "57014": _TIMEOUT,  # query cancelled: statement timeout
    "55P03": _TIMEOUT,  # lock not available: lock timeout
    "53": _EXHAUSTION,  # too many connections, out of memory, disk full
}

_MYSQL_CODES = {  # the error references of MySQL and MariaDB
    1021: _EXHAUSTION,  # disk full
    1037: _EXHAUSTION,  # out of memory; 1038 and 1041 likewise
    1038: _EXHAUSTION,
    1040: _EXHAUSTION,  # too many connections
    1041: _EXHAUSTION,
    1053: _CONNECTION,  # server shutdown in progress
    1114: _EXHAUSTION,  # the table is full
    1129: _CONNECTION,  # host blocked after too many failed connections
    1203: _EXHAUSTION,  # too many connections of this user; 1226 likewise
    1205: _TIMEOUT,  # lock wait timeout
    1226: _EXHAUSTION,
    1317: _TIMEOUT,  # query interrupted, as PostgreSQL's 57014
    1927: _CONNECTION,  # MariaDB: the connection was killed
    1969: _TIMEOUT,  # MariaDB: max_statement_time
    3024: _TIMEOUT,  # MySQL: max_execution_time
    4031: _CONNECTION,  # MySQL: disconnected by the server
}
_MYSQL_CLIENT_CODES = frozenset({0, 2002, 2003, 2005, 2006, 2012, 2013})
"""No connection, or none any more; the text says whether that took too long."""

_MONGODB_CODES = {  # mongo/src/mongo/base/error_codes.yml
    50: _TIMEOUT,  # MaxTimeMSExpired
    64: _TIMEOUT,  # WriteConcernTimeout
    91: _CONNECTION,  # ShutdownInProgress
    146: _EXHAUSTION,  # ExceededMemoryLimit
    189: _CONNECTION,  # PrimarySteppedDown
    262: _TIMEOUT,  # ExceededTimeLimit
    10107: _CONNECTION,  # NotWritablePrimary
    11600: _CONNECTION,  # InterruptedAtShutdown
    11602: _CONNECTION,  # InterruptedDueToReplStateChange
    13435: _CONNECTION,  # NotPrimaryNoSecondaryOk
    14031: _EXHAUSTION,  # OutOfDiskSpace
}

_TYPES = {
    "MaxConnectionsError": _EXHAUSTION,  # redis: a full pool that does not wait
    "WaitQueueTimeoutError": _EXHAUSTION,  # pymongo: a full pool
    "NetworkTimeout": _TIMEOUT,  # pymongo
}

# In this order: a pool that is full says "timed out" too, and a refused connection "connect".
_TEXTS = (
    (
        _EXHAUSTION,
        (
            "queuepool limit",
            "no connection available",
            "connection slots are reserved",
            "too many clients",
            "too many connections",
            "max number of clients",
            "oom command not allowed",
            "too many open files",
            "cannot assign requested address",
            "can't assign requested address",
            "cannot allocate memory",
            "resource temporarily unavailable",
        ),
    ),
    (_TIMEOUT, ("timeout expired", "timed out", "statement timeout", "timeout reading")),
    (
        _CONNECTION,
        (
            "connection refused",
            "connection reset",
            "connection closed",
            "closed the connection",
            "connection already closed",
            "terminating connection",
            "broken pipe",
            "could not connect",
            "could not translate host name",
            "connection to server",
            "error while reading from",
            "the database system is",
            "eof detected",
            "no route to host",
            "network is unreachable",
        ),
    ),
)


def of_driver(error: BaseException) -> ErrorClass:
    """Classify one exception of a driver by itself; NONE when that is not possible.

    SQLAlchemy's exception around a driver's is skipped: its text also holds the statement's
    parameters, and the driver's exception is its cause.
    """
    if getattr(error, "orig", None) is not None:
        return ErrorClass.NONE
    state = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None)
    if state:
        known = (_SQLSTATES.get(state[:length]) for length in (5, 3, 2))
        return next(filter(None, known), ErrorClass.WORKFLOW_ERROR)
    match type(error).__module__.partition(".")[0]:
        case "pymysql":
            return _of_pymysql(error)
        case "pymongo":
            return _of_pymongo(error)
    return _of_type(error, _TYPES) or _of_text(str(error))


def _of_pymongo(error: BaseException) -> ErrorClass:
    code = getattr(error, "code", None)
    if isinstance(code, int):
        return _MONGODB_CODES.get(code, ErrorClass.WORKFLOW_ERROR)
    known = _of_type(error, _TYPES) or _of_text(str(error))
    return known or _of_type(error, {"ConnectionFailure": _CONNECTION})


def _of_pymysql(error: BaseException) -> ErrorClass:
    code = error.args[0] if error.args else None
    if code in _MYSQL_CLIENT_CODES:
        return _of_text(str(error)) or _CONNECTION
    if isinstance(code, int):
        return _MYSQL_CODES.get(code, ErrorClass.WORKFLOW_ERROR)
    return _of_text(str(error))


def _of_type(error: BaseException, types: Mapping[str, ErrorClass]) -> ErrorClass:
    names = (base.__name__ for base in type(error).__mro__)
    return next((types[name] for name in names if name in types), ErrorClass.NONE)


def _of_text(text: str) -> ErrorClass:
    lowered = text.lower()
    for error_class, signs in _TEXTS:
        if any(sign in lowered for sign in signs):
            return error_class
    return ErrorClass.NONE
