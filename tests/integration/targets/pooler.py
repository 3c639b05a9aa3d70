"""A stand-in for a pooler in transaction mode: it refuses what PgBouncer refuses, and listens."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.integration.targets.relay import relay

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROTOCOL, _TLS, _GSS = 196608, 80877103, 80877104
_REFUSAL = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
_LASTING = (b"SET ", b"PREPARE ", b"LISTEN ", b"pg_advisory_lock", b"TEMP", b"DECLARE ")


@dataclass
class Pooler:
    """What its clients sent.

    Attributes:
        port: Where it listens.
        refused: How many clients wanted options for their session.
        lasting: Statements that would stay with a session of the server's after their transaction.
    """

    port: int = 0
    refused: int = 0
    lasting: list[bytes] = field(default_factory=list)

    def answer(self, sent: bytes) -> bytes | None:
        """Answer a client's piece in place of the server; None to pass it on."""
        code = struct.unpack("!I", sent[4:8])[0] if len(sent) >= 8 else 0
        if code in (_TLS, _GSS):
            return b"N"
        if code == _PROTOCOL and b"\0options\0" in sent:
            self.refused += 1
            return b"E" + struct.pack("!I", 4 + len(_REFUSAL)) + _REFUSAL
        is_named = sent[:1] == b"P" and sent[5:6] != b"\0"
        if is_named or any(word in sent for word in _LASTING):
            self.lasting.append(sent)
        return None


@contextmanager
def pooler(port: int) -> Iterator[Pooler]:
    """Stand between clients and the PostgreSQL on a port."""
    between = Pooler()
    with relay(port, intercept=between.answer) as between.port:
        yield between
