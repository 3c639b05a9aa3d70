"""The HTTP API of the proxies, as Toxiproxy has it, with two additions of our own.

``GET /proxies/NAME/connections`` counts connections, and ``POST /proxies/NAME/reset_connections``
resets ``count`` of them. Only this machine can ask; as in Toxiproxy, a browser is refused, since
any page that it shows could.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from perf_pipeline.faults.proxy.api_error import ApiError, bad_body

if TYPE_CHECKING:
    from perf_pipeline.faults.proxy.proxies import Proxies
    from perf_pipeline.faults.proxy.tcp_proxy import TcpProxy

VERSION = "perf_pipeline-1"
MAX_BODY_BYTES = 1 << 20
_ANSWER_S = 20.0

Answer = tuple[HTTPStatus, Any]


async def answer(proxies: Proxies, method: str, path: str, body: bytes) -> Answer:
    """Do what a request asks for.

    Args:
        proxies: What it is about.
        method: Of HTTP.
        path: Of the URL.
        body: JSON, or nothing.

    Returns:
        Status and the object of the answer, None for no content.

    Raises:
        ApiError: It is refused.
    """
    method = "POST" if method == "PATCH" else method
    shown: Any = None
    status = HTTPStatus.CREATED
    match (method, *(unquote(part) for part in path.strip("/").split("/"))):
        case ("GET", "version"):
            status, shown = HTTPStatus.OK, {"version": VERSION}
        case ("POST", "reset"):
            await proxies.reset()
        case ("POST", "populate"):
            found = await proxies.populate(_json(body))
            shown = {"proxies": [proxy.row() for proxy in found]}
        case ("GET", "proxies"):
            shown = {name: proxy.row() for name, proxy in proxies.by_name.items()}
            status = HTTPStatus.OK
        case ("POST", "proxies"):
            shown = (await proxies.create(_object(body))).row()
        case ("DELETE", "proxies", name):
            proxies.remove(name)
        case (_, "proxies", name, "toxics", *rest):
            shown, status = _of_toxics(proxies.find(name), method, rest, body), HTTPStatus.OK
        case (_, "proxies", name, *rest):
            shown, status = await _of_proxy(proxies.find(name), method, rest, body), HTTPStatus.OK
        case _:
            raise _unknown(method, path)
    return HTTPStatus.NO_CONTENT if shown is None else status, shown


async def _of_proxy(proxy: TcpProxy, method: str, rest: list[str], body: bytes) -> Any:
    match (method, *rest):
        case ("GET",):
            return proxy.row()
        case ("POST",):
            await proxy.update(_object(body))
            return proxy.row()
        case ("GET", "connections"):
            return proxy.connections()
        case ("POST", "reset_connections"):
            count = _object(body).get("count", 1)
            if type(count) is not int or count < 0:
                raise bad_body(f"count is {count!r:.40}, not a whole number of at least 0")
            return {"reset": proxy.reset_connections(count)}
    raise _unknown(method, "/".join(rest))


def _of_toxics(proxy: TcpProxy, method: str, rest: list[str], body: bytes) -> Any:
    match (method, *rest):
        case ("GET",):
            return proxy.row()["toxics"]
        case ("POST",):
            return proxy.add_toxic(_object(body)).row()
        case ("GET", name):
            return proxy.toxic(name).row()
        case ("POST", name):
            return proxy.change_toxic(name, _object(body)).row()
        case ("DELETE", name):
            proxy.remove_toxic(name)
            return None
    raise _unknown(method, "/".join(["toxics", *rest]))


def _unknown(method: str, what: str) -> ApiError:
    return ApiError(f"there is no {method} {what}", HTTPStatus.NOT_FOUND)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise bad_body(error) from error


def _object(body: bytes) -> dict[str, Any]:
    found = _json(body)
    if not isinstance(found, dict):
        raise bad_body("it is not an object")
    return found


def control_server(proxies: Proxies, loop: asyncio.AbstractEventLoop) -> ThreadingHTTPServer:
    """Make the server of the API on a free loopback port; the caller serves and closes it.

    Args:
        proxies: What it is about; touched in the event loop alone.
        loop: That event loop, which runs in another thread.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _ANSWER_S

        def do_GET(self) -> None:
            self._answer()

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names of http.server

        def log_message(self, *_: object) -> None:
            """Write no log."""

        def _answer(self) -> None:
            try:
                status, shown = self._asked()
            except ApiError as error:
                status, shown = error.status, {"error": str(error), "status": int(error.status)}
            content = b"" if shown is None else json.dumps(shown).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _asked(self) -> Answer:
            length = self.headers.get("Content-Length") or "0"
            if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
                self.close_connection = True
                raise bad_body(f"its length is {length!r:.40}, the limit is {MAX_BODY_BYTES} bytes")
            body = self.rfile.read(int(length))
            if (self.headers.get("User-Agent") or "").startswith("Mozilla/"):
                raise ApiError("User agent not allowed", HTTPStatus.FORBIDDEN)
            work = answer(proxies, self.command, urlsplit(self.path).path, body)
            return asyncio.run_coroutine_threadsafe(work, loop).result(_ANSWER_S)

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
