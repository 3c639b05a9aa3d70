"""Tells samples of threads that compute from those of threads that wait.

py-spy leaves out threads that the kernel calls sleeping, but asks at another moment than it reads
the stack: of eight threads that mostly slept, a quarter of the samples were in ``time.sleep``. So
a stack whose native part is inside a call that waits does not count, whatever py-spy says of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.samples.stacks.raw_stacks import Stack

_WAITING = frozenset(
    (
        *("accept", "accept4", "connect", "recv", "recvfrom", "recvmsg"),
        *("poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait", "epoll_pwait2"),
        *("nanosleep", "clock_nanosleep", "usleep", "sigwait", "sigwaitinfo", "sigtimedwait"),
        *("sem_wait", "sem_timedwait", "sem_clockwait", "lll_lock_wait", "futex_abstimed_wait64"),
        *("pthread_cond_wait", "pthread_cond_timedwait", "pthread_cond_clockwait"),
        *("pthread_join", "pthread_timedjoin_np", "wait4", "waitpid", "waitid"),
        *("fsync", "fdatasync"),
    )
)
"""Calls of the C library that wait, without leading underscores and symbol versions.

Waiting for the interpreter lock is ``pthread_cond_timedwait``. What these calls compute in the
kernel (copying what was received) is not counted either.
"""


_LIBC = ("[libc.so.6]", "[libc-2.31.so]", "[libc-2.28.so]", "[libc-2.27.so]")
"""The C library, for its functions without a name."""


def native_part(stack: Stack) -> Stack:
    """Return the native frames that the innermost Python function called."""
    at = next((i for i in range(len(stack), 0, -1) if not stack[i - 1].is_native), 0)
    return stack[at:]


def is_waiting(stack: Stack) -> bool:
    """Return whether the thread waited when it was sampled."""
    native = native_part(stack)
    return _is_in_lock(native) or any(
        frame.function.lstrip("_").partition("@")[0] in _WAITING for frame in native
    )


def _is_in_lock(native: Stack) -> bool:
    """Return whether a mutex is waited for, such as that of the interpreter lock.

    A mutex that is free is taken without a further call. glibc has no name for what waits, and in
    some builds none for what takes it: then two functions without a name follow on one that is not
    the C library's own.
    """
    *callers, lock, innermost = (None, None, None, *native)
    if innermost is None or lock is None or innermost.function not in _LIBC:
        return False
    is_outermost = callers[-1] is None or not callers[-1].file.startswith("libc")
    return lock.function == "pthread_mutex_lock" or (lock.function in _LIBC and is_outermost)


def on_cpu(stacks: Mapping[Stack, int]) -> dict[Stack, int]:
    """Return the stacks of threads that computed."""
    return {stack: count for stack, count in stacks.items() if not is_waiting(stack)}
