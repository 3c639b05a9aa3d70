"""A TCP relay in front of a server, such as one that speaks TLS or changes what passes."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    Change = Callable[[bytes], bytes]


@contextmanager
def relay(
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    answers: Change = lambda sent: sent,
) -> Iterator[int]:
    """Relay a free port of 127.0.0.1 to ``port`` for the block; yields the free one.

    Args:
        port: Where the server listens.
        tls: What clients speak.
        answers: Changes each piece that the server sends.
    """
    loop = asyncio.new_event_loop()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Change
    ) -> None:
        try:
            while piece := await reader.read(1 << 16):
                writer.write(change(piece))
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, here, lambda sent: sent), pump(there, writer, answers))

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
