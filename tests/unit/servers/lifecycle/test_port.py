"""Free ports on loopback."""

from __future__ import annotations

import random
import socket
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports, is_free

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("ephemeral", "lowest", "highest"),
    [
        ((32768, 60999), 10240, 32767),
        ((10240, 40000), 40001, 65535),
        ((1024, 65535), 10240, 65535),
    ],
)
def test_ports_are_drawn_outside_the_ephemeral_range_as_long_as_there_are_any(
    ephemeral: tuple[int, int], lowest: int, highest: int
) -> None:
    """Below it, else above it, else anywhere."""
    drawn = list(islice(free_ports(random.Random(1), ephemeral), 300))
    assert len(set(drawn)) == 300
    assert lowest <= min(drawn) <= lowest + 2000
    assert highest - 2000 <= max(drawn) <= highest


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    """It is free again as soon as nobody does, with connections in TIME_WAIT or without."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free(port)
        with socket.create_connection(("127.0.0.1", port)):
            taken.accept()[0].close()
    assert is_free(port)


def test_taken_ports_are_not_drawn() -> None:
    """Of the same draw, the port that was first is missing once it is taken."""
    first = next(free_ports(random.Random(7), (32768, 60999)))
    with socket.create_server(("127.0.0.1", first)):
        assert next(free_ports(random.Random(7), (32768, 60999))) != first


def test_the_ephemeral_range_is_the_kernels(tmp_path: Path) -> None:
    """Two numbers with a tabulator between them."""
    file = tmp_path / "sys/net/ipv4/ip_local_port_range"
    file.parent.mkdir(parents=True)
    file.write_text("16384\t40000\n", encoding="ascii")
    assert ephemeral_range(tmp_path) == (16384, 40000)
