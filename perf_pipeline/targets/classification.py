"""From an exception to the closed list of error classes.

Runtimes wrap what a driver raised, so the chain of causes is followed inwards to the first
exception that says what it is; what lies below it happened earlier. Texts are read only of
drivers' exceptions that carry no better sign: a workflow whose own error mentions a timeout has
not timed out. There is one exception: a runtime may hand on an error's text alone, and ``[Errno
99]`` in it is Python's own spelling of an exhausted resource. Types are compared by name, for this
module must work where a driver is not installed.
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

from perf_pipeline.samples.record import ErrorClass
from perf_pipeline.targets.driver_errors import DRIVERS, of_driver
from perf_pipeline.targets.target import WrongResultError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = {
    "MemoryError": ErrorClass.RESOURCE_EXHAUSTION,
    "MemoryLimitError": ErrorClass.RESOURCE_EXHAUSTION,  # kailash: 512 MB in one code node
    "MemoryLimitExceededError": ErrorClass.RESOURCE_EXHAUSTION,  # kailash: resource_limits
    "HardTimeLimitExceeded": ErrorClass.TIMEOUT,
    "SoftTimeLimitExceeded": ErrorClass.TIMEOUT,
}

_ERRNOS = {
    errno.EMFILE: ErrorClass.RESOURCE_EXHAUSTION,
    errno.ENFILE: ErrorClass.RESOURCE_EXHAUSTION,
    errno.ENOMEM: ErrorClass.RESOURCE_EXHAUSTION,
    errno.ENOSPC: ErrorClass.RESOURCE_EXHAUSTION,
    errno.EADDRNOTAVAIL: ErrorClass.RESOURCE_EXHAUSTION,  # no local port is left
    errno.EAGAIN: ErrorClass.RESOURCE_EXHAUSTION,  # of a fork: no process is left
    errno.EDQUOT: ErrorClass.RESOURCE_EXHAUSTION,
    errno.ENOBUFS: ErrorClass.RESOURCE_EXHAUSTION,
    errno.ECONNREFUSED: ErrorClass.CONNECTION,
    errno.ECONNRESET: ErrorClass.CONNECTION,
    errno.EPIPE: ErrorClass.CONNECTION,
    errno.ENETUNREACH: ErrorClass.CONNECTION,
    errno.EHOSTUNREACH: ErrorClass.CONNECTION,
    errno.ETIMEDOUT: ErrorClass.TIMEOUT,
}

_ERRNO_TEXT = re.compile(r"\[Errno (\d{1,4})\]")


def classify(error: BaseException) -> ErrorClass:
    """Return the error class of a workflow's exception.

    Args:
        error: What ``Slot.execute`` raised.

    Returns:
        ``WRONG_RESULT`` for a failed check; otherwise the class of the outermost exception of
        the chain that is known to be a timeout, a lost or refused connection, an exhausted
        resource, or a statement that the database refused; ``WORKFLOW_ERROR`` for any other
        ``Exception``; ``OTHER`` for what is none, such as ``SystemExit``.
    """
    if isinstance(error, WrongResultError):
        return ErrorClass.WRONG_RESULT
    chain = list(_chain(error))
    for link in chain:
        found = _of_one(link)
        if found is not ErrorClass.NONE:
            return found
    if any(_tells_of_exhaustion(str(link)) for link in chain):
        return ErrorClass.RESOURCE_EXHAUSTION
    return ErrorClass.WORKFLOW_ERROR if isinstance(error, Exception) else ErrorClass.OTHER


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Follow causes, or what was being handled, inwards."""
    visited: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in visited:
        visited.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _of_one(error: BaseException) -> ErrorClass:
    """Classify one exception by itself; NONE when that is not possible."""
    by_name = _NAMES.get(type(error).__name__)
    if by_name is not None:
        return by_name
    if type(error).__module__.partition(".")[0] in DRIVERS:
        return of_driver(error)
    if isinstance(error, OSError):
        return _of_os(error)
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return ErrorClass.RESOURCE_EXHAUSTION
    return ErrorClass.NONE


def _tells_of_exhaustion(text: str) -> bool:
    """Return whether a text has Python's spelling of an error of the kernel that is exhaustion."""
    return any(
        _ERRNOS.get(int(number)) is ErrorClass.RESOURCE_EXHAUSTION
        for number in _ERRNO_TEXT.findall(text)
    )


def _of_os(error: OSError) -> ErrorClass:
    if error.errno in _ERRNOS:
        return _ERRNOS[error.errno]
    if isinstance(error, TimeoutError):
        return ErrorClass.TIMEOUT
    if isinstance(error, ConnectionError):
        return ErrorClass.CONNECTION
    return ErrorClass.NONE
