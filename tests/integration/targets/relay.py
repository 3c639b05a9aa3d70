"""A TCP relay in front of a server, such as one that speaks TLS or answers for it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator


@contextmanager
def relay(
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    intercept: Callable[[bytes], bytes | None] = lambda _sent: None,
) -> Iterator[int]:
    """Relay a free port of 127.0.0.1 to ``port`` for the block; yields the free one.

    Args:
        port: Where the server listens.
        tls: What clients speak.
        intercept: Is given each piece that a client sends, and answers it in place of the server
            unless it returns None.
    """
    loop = asyncio.new_event_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def requests(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(1 << 16):
                answer = intercept(piece)
                (writer if answer is None else back).write(piece if answer is None else answer)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(requests(reader, here, writer), pump(there, writer))

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        server.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
