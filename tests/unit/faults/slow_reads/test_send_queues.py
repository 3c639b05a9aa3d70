"""What waits in the server for clients that do not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.slow_reads.send_queues import send_queues

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
LINES = [
    "   0: 0100007F:2710 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1",
    "   1: 0100007F:2710 0100007F:9C40 01 0000FF00:00000000 01:00000014 00000000     0        0 2",
    "   2: 0100007F:9C40 0100007F:2710 01 00000000:00001000 00:00000000 00000000     0        0 3",
    "   3: 0100007F:2710 0100007F:9C41 01 00000000:00000000 00:00000000 00000000     0        0 4",
    "   4: 0100007F:2710 0100007F:9C42 08 00000100:00000000 00:00000000 00000000     0        0 5",
    "   5: 0100007F:2710 0100007F:9C43 06 00000000:00000000 00:00000000 00000000     0        0 6",
    "   6: 0100007F:2710 0100007F:9C44 01 00000100:00000000 00:00000000 00000000     0        0 7",
]


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    (tmp_path / "self/net").mkdir(parents=True)
    (tmp_path / "self/net/tcp").write_text("\n".join([HEAD, *LINES]) + "\n")
    return tmp_path


def test_the_queue_of_the_servers_end_of_each_client_is_read(kernel: Path) -> None:
    """A connection that the server has closed has none; TIME_WAIT is none; 40004 is another's."""
    clients = {40000, 40001, 40002, 40003}
    assert send_queues(10000, clients, kernel) == {40000: 0xFF00, 40001: 0, 40002: None}


def test_without_clients_there_are_no_queues(kernel: Path) -> None:
    """A sham failure opens none."""
    assert send_queues(10000, set(), kernel) == {}
