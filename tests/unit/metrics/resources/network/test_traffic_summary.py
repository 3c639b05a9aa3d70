"""Growth between the first and the last sample, bounds, and reasons."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from perf_pipeline.metrics.resources.network.traffic import Traffic
from perf_pipeline.metrics.resources.network.traffic_summary import network_of, traffic_of

SECOND = 1_000_000_000


def _sample(at_s: float, **traffic: Traffic) -> dict[str, Any]:
    return {
        "at_ns": round(at_s * SECOND),
        "traffic": {name: asdict(one) for name, one in traffic.items()},
        "connections": {},
        "problems": {},
    }


def _samples(**last: Any) -> list[dict[str, Any]]:
    """3 MB sent and 1 MB received in 2 s, after as much in the warm-up."""
    return [
        _sample(10, redis=Traffic(3_000_000, 1_000_000, begun=4, ended=1)),
        _sample(11, redis=Traffic(4_000_000, 1_500_000, begun=4, ended=1)),
        _sample(12, redis=Traffic(6_000_000, 2_000_000, begun=6, ended=3, **last)),
    ]


def test_traffic_is_the_growth_between_the_first_and_the_last_sample() -> None:
    """Three connections were open at first, two came; two ended."""
    (found,) = traffic_of(_samples(), ["redis"])
    assert (found.sent_mb, found.recv_mb, found.seconds) == (3, 1, 2)
    assert (found.connections, found.ended) == (5, 2)
    assert (found.at_least, found.why_not) == ("", "")


def test_each_doubt_makes_it_a_lower_bound_and_is_said() -> None:
    for doubt, said in (
        ({"ended_unread": 7}, "the last bytes of 7 connections"),
        ({"unattributed": 8}, "8 connections ended before it was seen"),
        ({"lost_reports": 1}, "lost reports"),
        ({"ends_unknown": "Permission denied"}, "(Permission denied)"),
    ):
        (found,) = traffic_of(_samples(**doubt), ["redis"])
        assert said in found.at_least
        assert found.sent_mb == 3
    assert network_of([found]).at_least == f"redis: {found.at_least}"


def test_doubts_of_the_warm_up_are_not_those_of_the_steady_phase() -> None:
    samples = _samples(unattributed=2)
    samples[0]["traffic"]["redis"]["unattributed"] = 2
    assert traffic_of(samples, ["redis"])[0].at_least == ""


def test_what_was_not_read_is_none_with_the_monitors_reason() -> None:
    samples = _samples()
    for sample in samples:
        sample["problems"]["not told: traffic mysql"] = "a Unix socket"
    redis, mysql, mongodb = traffic_of(samples, ["redis", "mysql", "mongodb"])
    assert (mysql.sent_mb, mysql.why_not) == (None, "a Unix socket")
    assert mongodb.why_not.startswith("fewer than two samples")
    assert network_of([redis, mysql]) == (None, None, "", "mysql: a Unix socket")
    assert network_of([]).why_not == "there was no server"


def test_servers_add_up() -> None:
    samples = _samples()
    for factor, sample in enumerate(samples):
        one = Traffic(500_000 * factor, 100_000 * factor, begun=1)
        sample["traffic"]["postgres"] = asdict(one)
    network = network_of(traffic_of(samples, ["redis", "postgres"]))
    assert network == (4, 1.2, "", "")


def test_a_server_whose_connections_go_elsewhere_is_no_zero() -> None:
    """It counts 12 of the run, the kernel none to its address: a forwarder, or another address."""
    samples = [_sample(t, mysql=Traffic()) for t in range(3)]
    assert traffic_of(samples, ["mysql"])[0].sent_mb == 0
    for sample in samples:
        sample["connections"]["mysql"] = {"total": 12}
    (found,) = traffic_of(samples, ["mysql"])
    assert found.sent_mb is None
    assert "up to 12 connections" in found.why_not
