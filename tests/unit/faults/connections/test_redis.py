"""Redis' protocol, as far as connections need it."""

from __future__ import annotations

from perf_pipeline.faults.connections.redis import encoded


def test_a_command_is_an_array_of_texts_with_their_lengths() -> None:
    assert encoded(b"AUTH", b"p w") == b"*2\r\n$4\r\nAUTH\r\n$3\r\np w\r\n"
