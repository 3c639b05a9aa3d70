"""An event loop in a separate thread, so that the main thread can supervise."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

Given = TypeVar("Given")


class EventThread:
    """Runs coroutines that other threads hand to it; asyncio's own loop, as it is by default."""

    def __init__(self) -> None:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="event-loop", daemon=True)
        self._thread.start()

    def begin(self, coroutine: Coroutine[Any, Any, Given]) -> Future[Given]:
        """Start a coroutine; its result is in the future."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, Given]) -> Given:
        """Run a coroutine and wait for its result or exception; not from the loop's own thread."""
        return self.begin(coroutine).result()

    def stop(self) -> None:
        """End the thread; no task is left."""
        self._stopping = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while not self._stopping:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # A task of the target raised it: asyncio gives it to whoever awaits the task,
                # where it becomes a record, and here, where it would end the other tasks too.
                continue
