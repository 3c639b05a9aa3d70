"""Which threads of executors are at work, reported of executors that really work."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from perf_pipeline.targets.pool_threads import is_at_work, threads_at_work


def _settles_at(pool: object, count: int) -> bool:
    end = time.monotonic() + 5
    while threads_at_work(pool) != count and time.monotonic() < end:
        time.sleep(0.005)
    return threads_at_work(pool) == count


def test_threads_that_wait_for_work_are_not_counted_and_those_that_have_some_are() -> None:
    """Six calls for four threads; then one; then none, while the threads live on."""
    release, one_left = threading.Event(), threading.Event()
    with ThreadPoolExecutor(4) as pool:
        seen = [threads_at_work(pool) == 0]
        for _ in range(5):
            pool.submit(release.wait)
        pool.submit(one_left.wait)
        seen.append(_settles_at(pool, 4))
        release.set()
        seen.append(_settles_at(pool, 1))
        one_left.set()
        seen.append(_settles_at(pool, 0))
        threads = len(pool._threads)

    assert (seen, threads) == ([True] * 4, 4)


def test_a_thread_of_no_executor_is_at_no_work_of_one() -> None:
    assert not is_at_work(sys._getframe())
    assert not is_at_work(None)


def test_what_is_no_pool_has_no_busy_threads() -> None:
    assert threads_at_work(None) is None
    assert threads_at_work(SimpleNamespace(_threads={threading.current_thread()})) is None
