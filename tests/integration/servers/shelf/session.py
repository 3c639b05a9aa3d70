"""A session with a Shelf."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OURS = "harness"
"""The name of the connections that are not a run's."""


@contextmanager
def session(url: str, timeout_s: float, name: str = OURS) -> Iterator[Callable[..., Any]]:
    """Connect; yields a function that sends a request and returns the answer."""
    parts = urlsplit(url)
    try:
        address = (parts.hostname, parts.port)
        with socket.create_connection(address, timeout_s) as connection:
            stream = connection.makefile("rwb")

            def ask(do: str, **values: str) -> Any:
                stream.write(json.dumps({"do": do, "name": name, **values}).encode() + b"\n")
                stream.flush()
                return json.loads(stream.readline())

            yield ask
    except (OSError, ValueError) as error:
        raise NotAnsweringError(str(error)) from error
