"""Counters of servers, summed up: rates, means, and reasons for missing values."""

from __future__ import annotations

from typing import Any

import pytest

from perf_pipeline.metrics.resources.server_counters import (
    connections_of,
    counters_of,
)

SECOND = 1_000_000_000


def _sample(at_s: float, **more: Any) -> dict[str, Any]:
    return {"at_ns": round(at_s * SECOND), "connections": {}, "problems": {}} | more


def _counters(t: float, **more: Any) -> dict[str, Any]:
    """1,000 queries and 2 s in them each second, 3 MB sent and 1 MB received."""
    return {
        "sent_bytes": 3_000_000 * t,
        "recv_bytes": 1_000_000 * t,
        "queries": 50 + 1000 * t,
        "query_time_s": 2.0 * t,
        "storage_read_bytes": None,
        "source": "its own count",
        "shared": False,
    } | more


def test_connections_are_summed_up_by_server_and_failed_probes_counted() -> None:

    def of(total: int, active: int | None) -> dict[str, int | None]:
        return {"total": total, "active": active}

    samples = [
        _sample(0, connections={"postgres": of(10, 4), "redis": of(3, None)}),
        _sample(1, connections={"postgres": of(25, 9)}, problems={"connections redis": "refused"}),
        _sample(
            2, connections={"redis": of(5, None)}, problems={"connections postgres": "refused"}
        ),
    ]
    limits = {"postgres": 50, "redis": 40, "mysql": 9}

    uses = connections_of(samples, samples, limits, {"postgres": "pool"})

    assert [(u.server, u.limit, u.peak, u.mean, u.failed_probes) for u in uses] == [
        ("postgres", 50, 25, 17.5, 1),
        ("redis", 40, 5, 4, 1),
        ("mysql", 9, None, None, 0),
    ]
    assert [(u.active_mean, u.utilisation_percent) for u in uses] == [
        (6.5, 50.0),
        (None, 12.5),
        (None, None),
    ]
    assert [u.pool for u in uses] == ["pool", "", ""]


def test_means_are_those_of_the_steady_phase_and_the_peak_that_of_the_level() -> None:
    def answer(total: int, waiting: int | None) -> dict[str, Any]:
        use = {"total": total, "active": 2, "idle": total - 2, "waiting": waiting, "how": "by name"}
        return {"connections": {"postgres": use}}

    samples = [
        _sample(0, **answer(9, 7)),
        _sample(1, **answer(4, 1)),
        _sample(2, **answer(6, None)),
    ]
    (use,) = connections_of(samples, samples[1:], {"postgres": 10}, {})
    assert (use.peak, use.mean, use.active_mean, use.idle_mean) == (9, 5, 2, 3)
    assert (use.waiting_mean, use.utilisation_percent, use.how) == (1, 90, "by name")


def test_counters_become_rates_between_the_first_and_the_last_answer() -> None:
    """A sample without an answer in between changes nothing."""
    samples = [_sample(t, counters={"mysql": _counters(t)}) for t in range(5)]
    samples[2] = _sample(2, problems={"counters mysql": "refused"})
    (found,) = counters_of(samples, ["mysql"])
    assert (found.sent_mb_per_s, found.recv_mb_per_s, found.queries_per_s) == (3, 1, 1000)
    assert (found.sent_mb, found.recv_mb) == (12, 4)
    assert found.query_time_mean_s == pytest.approx(0.002)
    assert found.storage_read_mb is None
    assert found.source == "its own count"


def test_a_counter_that_went_backwards_is_no_rate() -> None:
    """The server was restarted in between; in the end it may stand higher than at first."""
    for counts in ([9, 8, 7], [9, 1, 20]):
        samples = [
            _sample(t, counters={"redis": _counters(count)}) for t, count in enumerate(counts)
        ]
        (found,) = counters_of(samples, ["redis"])
        assert found.queries_per_s is None
        assert "backwards" in found.unavailable["queries"]


def test_what_a_server_does_not_tell_has_the_reason_that_the_monitor_gave() -> None:
    reason = "PostgreSQL does not count"
    samples = [
        _sample(
            t,
            counters={"postgres": _counters(t, sent_bytes=None)},
            problems={"not told: postgres sent_bytes": reason},
        )
        for t in range(3)
    ]
    (found,) = counters_of(samples, ["postgres"])
    assert (found.sent_mb, found.unavailable["sent_bytes"]) == (None, reason)
    assert found.queries_per_s == 1000

    dead = [_sample(t, problems={"counters postgres": "refused"}) for t in range(3)]
    assert counters_of(dead, ["postgres"])[0].unavailable["queries"] == "refused"
