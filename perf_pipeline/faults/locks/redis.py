"""Redis' or Valkey's writes paused: it has no locks that a client could hold."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from perf_pipeline.faults.arguments import server_of
from perf_pipeline.faults.fault import Sign
from perf_pipeline.servers.probe import ProbeSession
from perf_pipeline.servers.redis.session import session
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis

    from perf_pipeline.faults.fault import Place, State

NAME = "perf_pipeline-lock"
_ANSWER_S = 2.0

_PAUSE_MS = 3000
"""Of one pause, which each sign renews: it ends by itself when the injector is dead."""

_PATIENCE_S = 0.1
_KEY = "perf_pipeline-lock-of-a-key-that-is-not-there"


class RedisPause:
    """Pauses the writes of all clients; see ``Fault``.

    Reads go on: of a pause of everything the server would not even hear its end. It ends by
    itself, ``_PAUSE_MS`` after the last sign.
    """

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is opened."""
        self._url = server_of(place).url
        self._watch = ProbeSession(partial(session, self._url, _ANSWER_S))
        self._writing = ExitStack()
        self._writer: Any = None
        self._asked = False
        self._paused = False

    def preflight(self) -> None:
        """See whether it answers."""
        self._watch.ask(lambda client: client.ping())

    def state(self) -> State:
        """Return whether a write is answered."""
        return {"writes": "paused" if self._is_paused() else "answered"}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: a pause ends by itself."""
        return {}

    def inject(self) -> None:
        """Pause."""
        self._watch.ask(_pause)
        self._paused = True

    def sign(self) -> Sign:
        """Write from another connection, and ask the server whether it has let that wait."""
        if self._paused:
            with suppress(NotAnsweringError):
                self._watch.ask(_pause)
        try:
            paused = self._is_paused()
            blocked = len(self._watch.ask(_blocked))
        except NotAnsweringError as error:
            return Sign(in_effect=False, value=0.0, text=f"the server did not answer: {error}")
        text = f"a write is {'not ' if paused else ''}answered; {blocked} clients wait"
        return Sign(in_effect=paused, value=float(blocked), text=text)

    def undo(self) -> None:
        """End the pause, and the connections."""
        paused, self._paused = self._paused, False
        try:
            if paused:
                self._watch.ask(lambda client: client.client_unpause())
        finally:
            self._close_writer()
            self._watch.close()

    def _is_paused(self) -> bool:
        """Send a write, unless one is out, and return whether the server has it wait.

        Raises:
            NotAnsweringError: The server failed.
        """
        try:
            writer: Any = self._writer or self._open_writer()
            if not self._asked:
                writer.send_command("UNLINK", _KEY)
                self._asked = True
            if writer.can_read(timeout=_PATIENCE_S):
                writer.read_response()
                self._asked = False
                return False
        except (RedisError, OSError) as error:
            self._close_writer()
            raise NotAnsweringError(str(error) or type(error).__name__) from error
        return NAME in self._watch.ask(_blocked)

    def _open_writer(self) -> Any:
        client = self._writing.enter_context(session(self._url, _ANSWER_S))
        writer: Any = client.connection_pool.get_connection()
        writer.send_command("CLIENT", "SETNAME", NAME)
        writer.read_response()
        self._writer = writer
        return writer

    def _close_writer(self) -> None:
        self._writer, self._asked = None, False
        with suppress(NotAnsweringError):
            self._writing.close()


def _pause(client: Redis) -> None:
    client.client_pause(_PAUSE_MS, all=False)


def _blocked(client: Redis) -> list[str]:
    """Return the names of the clients that the server lets wait."""
    listed: Any = client.client_list()
    return [one["name"] for one in listed if "b" in one["flags"]]
