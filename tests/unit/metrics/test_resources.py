"""What processes used: differences of counters, and gaps that stay gaps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.metrics.resources import connections_of, read_samples, resources_of

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000


def _process(
    pid: int, cpu_s: float = 0.0, pss: int = 0, read: int | None = 0, write: int | None = 0
) -> dict[str, Any]:
    return {
        "pid": pid,
        "cpu_s": cpu_s,
        "pss_bytes": pss,
        "read_bytes": read,
        "write_bytes": write,
    }


def _sample(at_s: float, workers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "at_ns": round(at_s * SECOND),
        "workers": workers,
        "harness": [],
        "servers": [],
        "connections": {},
        "problems": {},
    } | more


def test_cpu_is_the_growth_of_the_counters_over_the_time_between_samples() -> None:
    """Two workers, samples after 1 s and 2 s: 50 + 100 %, then (1 + 3) / 2 = 200 %."""
    samples = [
        _sample(0, [_process(1, 5.0), _process(2, 7.0)]),
        _sample(1, [_process(1, 5.5), _process(2, 8.0)]),
        _sample(3, [_process(1, 6.5), _process(2, 11.0)]),
    ]

    resources = resources_of(samples)

    assert resources.workers_cpu_mean_percent == pytest.approx((150 + 200) / 2)
    assert resources.workers_cpu_peak_percent == pytest.approx(200)
    assert resources.samples == 3
    assert resources.harness_cpu_mean_percent is None


def test_a_process_that_could_not_be_read_is_a_gap_not_an_idle_process() -> None:
    """Both workers use a core; the second sample lacks one: no interval with it counts."""

    def both(t: float) -> list[dict[str, Any]]:
        return [_process(1, t, 10_000_000), _process(2, t, 10_000_000)]

    samples = [_sample(t, both(t)) for t in range(5)]
    samples[1] = _sample(1, [_process(1, 1, 10_000_000)], problems={"workers 2": "gone"})

    resources = resources_of(samples)

    assert resources.workers_cpu_mean_percent == pytest.approx(200)
    assert resources.failed_probes == 1


def test_memory_of_a_role_of_which_a_process_is_missing_is_not_its_memory() -> None:
    partial = {"workers": [_process(1, 0, 10)], "problems": {"workers 2": "denied"}}
    samples = [_sample(t, **partial) for t in range(3)]  # type: ignore[arg-type]

    assert resources_of(samples).workers_pss_peak_mb is None
    assert resources_of(samples).failed_probes == 3


def test_memory_is_the_peak_of_the_sum_in_millions_of_bytes() -> None:
    samples = [
        _sample(0, [_process(1, pss=300_000_000), _process(2, pss=10_000_000)]),
        _sample(1, [_process(1, pss=200_000_000), _process(2, pss=150_000_000)]),
    ]

    assert resources_of(samples).workers_pss_peak_mb == pytest.approx(350)


def test_roles_are_kept_apart() -> None:
    samples = [
        _sample(
            t,
            [_process(1, t * 1.0, 1_000_000)],
            harness=[_process(2, t * 0.1, 2_000_000)],
            servers=[_process(3, t * 0.3, 4_000_000)],
            problems={"servers 9": "gone"} if t == 1 else {},
        )
        for t in range(4)
    ]

    found = resources_of(samples)

    assert found.workers_cpu_mean_percent == pytest.approx(100)
    assert found.harness_cpu_mean_percent == pytest.approx(10)
    assert found.servers_cpu_mean_percent == pytest.approx(30)
    peaks = (found.workers_pss_peak_mb, found.harness_pss_peak_mb, found.servers_pss_peak_mb)
    assert peaks == (1, 2, 4)


def test_disk_use_is_what_the_counters_grew_by() -> None:
    samples = [
        _sample(0, [_process(1, read=5_000_000, write=0), _process(2, read=0, write=1_000_000)]),
        _sample(
            9, [_process(1, read=6_000_000, write=3), _process(2, read=500_000, write=1_000_000)]
        ),
    ]
    found = resources_of(samples)
    assert found.disk_read_mb == pytest.approx(1.5)
    assert found.disk_write_mb == pytest.approx(0.000003)

    unreadable = [_sample(t, [_process(1, read=None, write=None)]) for t in range(2)]
    assert resources_of(unreadable).disk_read_mb is None


def test_without_samples_nothing_was_measured() -> None:
    found = resources_of([])
    values = {name: value for name, value in vars(found).items() if value is not None}
    assert values == {"samples": 0, "failed_probes": 0}


def test_samples_are_read_within_their_window_and_without_a_cut_last_line(tmp_path: Path) -> None:
    path = tmp_path / "resources.jsonl"
    lines = [json.dumps(_sample(t, [])) for t in range(5)]
    path.write_text("\n".join(lines)[:-10])

    assert [s["at_ns"] for s in read_samples(path, SECOND, 10 * SECOND)] == [
        1 * SECOND,
        2 * SECOND,
        3 * SECOND,
    ]
    assert read_samples(tmp_path / "missing", 0, SECOND) == []


def test_connections_are_summed_up_by_server_and_failed_probes_counted() -> None:
    samples = [
        _sample(0, [], connections={"postgres": [10, 4], "redis": [3, 3]}),
        _sample(
            1, [], connections={"postgres": [25, 9]}, problems={"connections redis": "refused"}
        ),
        _sample(2, [], connections={"redis": [5, 5]}, problems={"connections postgres": "refused"}),
    ]

    uses = connections_of(samples, {"postgres": 50, "redis": 40, "mysql": 9}, {"postgres": "pool"})

    assert [(u.server, u.limit, u.peak, u.mean, u.failed_probes) for u in uses] == [
        ("postgres", 50, 25, 17.5, 1),
        ("redis", 40, 5, 4, 1),
        ("mysql", 9, None, None, 0),
    ]
    assert [u.pool for u in uses] == ["pool", "", ""]
