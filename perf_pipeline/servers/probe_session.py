"""A session with a server that is opened once, kept, and opened again after a failure."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

Session = TypeVar("Session")
Answer = TypeVar("Answer")


class ProbeSession(Generic[Session]):
    """Opens a session at the first question, and keeps it until one fails."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Session]]) -> None:
        """Prepare; nothing is opened.

        Args:
            begin: Opens a session; an error in a question passes through its end, which may turn
                it into another.
        """
        self._begin = begin
        self._kept: tuple[ExitStack, Session] | None = None

    def ask(self, question: Callable[[Session], Answer]) -> Answer:
        """Return what ``question`` returns; when it fails, the session ends."""
        kept, self._kept = self._kept, None
        with ExitStack() if kept is None else kept[0] as stack:
            session = stack.enter_context(self._begin()) if kept is None else kept[1]
            answer = question(session)
            self._kept = (stack.pop_all(), session)
        return answer

    def close(self) -> None:
        """End the session, if there is one."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[0].close()
