"""MongoDB's protocol, as far as connections need it."""

from __future__ import annotations

import struct

import bson
import pytest

from perf_pipeline.faults.connections.mongodb import connected, message
from perf_pipeline.faults.fault import FaultRefusedError


def test_a_command_is_a_message_with_one_section() -> None:
    """Length, number, no answer to, OP_MSG, no flags, kind 0, the document."""
    found = message({"ping": 1, "$db": "admin"})
    assert struct.unpack("<iiii", found[:16]) == (len(found), 1, 0, 2013)
    assert found[16:21] == b"\0\0\0\0\0"
    assert bson.decode(found[21:]) == {"ping": 1, "$db": "admin"}


@pytest.mark.parametrize("url", ["mongodb://u:p@127.0.0.1/x", "mongodb://127.0.0.1/x?tls=true"])
def test_a_server_that_wants_a_login_or_tls_is_refused(url: str) -> None:
    with pytest.raises(FaultRefusedError, match="without login and TLS"):
        connected(url)
