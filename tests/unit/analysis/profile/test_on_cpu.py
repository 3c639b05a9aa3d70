"""Samples of threads that wait do not count."""

from __future__ import annotations

import pytest

from perf_pipeline.analysis.profile.on_cpu import is_waiting, on_cpu
from perf_pipeline.samples.stacks.raw_stacks import Stack, parse_frame
from tests.simulated_stacks import stack_of


def stack(text: str) -> Stack:
    return tuple(map(parse_frame, text.split(";")))


@pytest.mark.parametrize(
    "text",
    [
        "order (shop.py:13);time_sleep (libpython3.11.so.1.0);clock_nanosleep (libc.so.6)",
        # Waits for the interpreter lock, below code that had released it.
        "order (shop.py:13);_hash (_ssl.c:907);pthread_cond_timedwait (libc.so.6);0x7f61 (c)",
        "wait (bell.py:36);select_poll_poll (selectmodule.c:655);__poll (libc.so.6)",
        "get (queue.py:1);sem_wait@@GLIBC_2.34 (libc.so.6)",
        # A mutex that another thread has, with and without its name.
        "order (shop.py:13);_hash (_ssl.c:907);pthread_mutex_lock (libc.so.6);0x7f61 (libc.so.6)",
        "order (shop.py:13);_hash (_ssl.c:907);0x7f62 (libc.so.6);0x7f61 (libc.so.6)",
    ],
)
def test_a_thread_inside_a_call_that_waits_is_waiting(text: str) -> None:
    assert is_waiting(stack(text))


@pytest.mark.parametrize(
    "text",
    [
        "order (shop.py:13)",
        "order (shop.py:13);_hash (_ssl.c:907);pthread_mutex_lock (libc.so.6)",
        "order (shop.py:13);_hash (_ssl.c:907);0x7f62 (libc.so.6)",
        "order (shop.py:13);free (libc.so.6);0x7f62 (libc.so.6);0x7f61 (libc.so.6)",
        "order (shop.py:13);_hash (_hashopenssl.c:906);SHA256_Update (libcrypto.so.3)",
        # A Python function that is called as one that waits.
        "select (shop.py:13)",
        # A wait that called back into Python is over.
        "poll (libc.so.6);order (shop.py:13)",
    ],
)
def test_every_other_thread_computes(text: str) -> None:
    assert not is_waiting(stack(text))


def test_only_stacks_that_compute_remain() -> None:
    stacks = {stack_of("score"): 4, stack_of("score", "poll"): 9}
    assert on_cpu(stacks) == {stack_of("score"): 4}
