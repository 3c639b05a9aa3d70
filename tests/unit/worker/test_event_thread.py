"""An event loop beside the main thread: what a coroutine gives or raises comes back."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest

from perf_pipeline.worker.event_thread import EventThread


async def _ident() -> int:
    await asyncio.sleep(0)
    return threading.get_ident()


def test_coroutines_run_in_one_thread_that_is_not_ours(events: EventThread) -> None:
    idents = {events.run(_ident()) for _ in range(3)}

    assert len(idents) == 1
    assert threading.get_ident() not in idents


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_what_a_coroutine_raises_comes_back_and_the_loop_lives_on(
    events: EventThread, error: BaseException
) -> None:
    async def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        events.run(fail())

    assert caught.value is error
    assert events.run(_ident()) != threading.get_ident()


def test_a_stopped_loop_leaves_no_thread() -> None:
    events = EventThread()
    ident = events.run(_ident())

    events.stop()

    while ident in sys._current_frames():
        time.sleep(0.001)
    assert events._loop.is_closed()
