"""An event loop in a separate thread, so that the main thread can supervise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from perf_pipeline.worker.own_time import monotonic, new_lock, start_thread

if TYPE_CHECKING:
    from collections.abc import Coroutine

Given = TypeVar("Given")


class EventThread:
    """Runs coroutines that other threads hand to it; asyncio's own loop, with our own clock."""

    def __init__(self) -> None:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._loop.time = monotonic  # type: ignore[method-assign] # whatever is put for time.monotonic
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._ended = new_lock()
        self._ended.acquire()
        start_thread(self._run, ())

    def begin(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Start a coroutine."""
        self._loop.call_soon_threadsafe(self._start, coroutine)

    def run(self, coroutine: Coroutine[Any, Any, Given]) -> Given:
        """Run a coroutine and wait for its result or exception; not from the loop's own thread."""
        given: list[Given] = []
        raised: list[BaseException] = []
        ended = new_lock()
        ended.acquire()

        async def play() -> None:
            try:
                given.append(await coroutine)
            except BaseException as error:  # noqa: BLE001 raised again in the caller's thread
                raised.append(error)
            finally:
                ended.release()

        self.begin(play())
        ended.acquire()
        if raised:
            raise raised[0]
        return given[0]

    def stop(self) -> None:
        """End the thread; no task is left."""
        self._stopping = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._ended.acquire()
        self._loop.close()

    def _start(self, coroutine: Coroutine[Any, Any, object]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)  # the loop itself keeps weak references
        task.add_done_callback(self._tasks.discard)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while not self._stopping:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # A task of the target raised it: asyncio gives it to whoever awaits the task,
                # where it becomes a record, and here, where it would end the other tasks too.
                continue
        self._ended.release()
