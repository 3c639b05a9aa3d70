"""What can run out is counted where that is cheap, and exactly where it matters."""

from __future__ import annotations

import resource
import socket
from pathlib import Path

from perf_pipeline.metrics.resources.countable_limits import countable_limits, local_ports

PROC = Path("/proc")


def _proc(root: Path, tcp: list[tuple[int, str]], inuse: int, tw: int) -> Path:
    files = {
        "sys/net/ipv4/ip_local_port_range": "40000\t40009\n",
        "net/sockstat": f"sockets: used 9\nTCP: inuse {inuse} orphan 0 tw {tw} alloc 1 mem 1\n",
        "net/tcp": "sl local_address rem_address st\n"
        + "".join(f"0: 0100007F:{port:04X} 0100007F:1538 {state} 0\n" for port, state in tcp),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_ports_of_the_range_are_counted_once_without_those_that_listen(tmp_path: Path) -> None:
    """Two sockets in use share a port, one is in TIME_WAIT, one listens, one is out of range."""
    tcp = [(40001, "01"), (40001, "01"), (40002, "06"), (40003, "0A"), (5432, "01")]
    assert local_ports(_proc(tmp_path, tcp, inuse=4, tw=1)) == {
        "used": 2,
        "limit": 10,
        "source": "net.ipv4.ip_local_port_range = 40000 40009",
    }


def test_far_fewer_sockets_than_ports_are_not_looked_at_one_by_one(tmp_path: Path) -> None:
    ports = local_ports(_proc(tmp_path, [], inuse=3, tw=1))
    assert ports is not None
    assert ports["used"] == 4


def test_this_kernel_counts_a_connection_of_ours() -> None:
    before = local_ports(PROC)
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients = [socket.create_connection(server.getsockname()) for _ in range(20)]
        after = local_ports(PROC)
        for client in clients:
            client.close()
    assert before is not None
    assert after is not None
    assert before["used"] >= 0
    assert 20 <= after["used"] <= after["limit"]


def test_a_kernel_that_tells_nothing_gives_no_limit(tmp_path: Path) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert local_ports(tmp_path) is None
    assert set(countable_limits(tmp_path, tmp_path)) <= {"descriptors"}
    if hard != resource.RLIM_INFINITY:
        assert countable_limits(tmp_path, tmp_path)["descriptors"]["limit"] == hard
