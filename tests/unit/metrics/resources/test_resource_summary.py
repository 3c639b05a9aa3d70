"""What processes used: differences of counters, and gaps that stay gaps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.metrics.resources.resource_summary import resources_of

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_000_000_000


def _process(
    pid: int,
    cpu_s: float = 0.0,
    pss: int | None = 0,
    read: int | None = 0,
    write: int | None = 0,
    **more: Any,
) -> dict[str, Any]:
    return {
        "pid": pid,
        "cpu_s": cpu_s,
        "pss_bytes": pss,
        "read_bytes": read,
        "write_bytes": write,
    } | more


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
    """Two workers: 1.5 cores for 1 s, then 2 cores for 2 s; the mean is weighted by time."""
    samples = [
        _sample(0, [_process(1, 5.0), _process(2, 7.0)]),
        _sample(1, [_process(1, 5.5), _process(2, 8.0)]),
        _sample(3, [_process(1, 6.5), _process(2, 11.0)]),
    ]

    resources = resources_of(samples)

    assert resources.workers_cpu_mean_percent == pytest.approx(100 * (1.5 + 4) / 3)
    assert resources.workers_cpu_peak_percent == pytest.approx(200)
    assert resources.of("workers").cores_mean == pytest.approx((1.5 + 4) / 3)
    assert resources.samples == 3
    assert resources.of("harness").cores_mean is None


def test_a_process_that_could_not_be_read_is_a_gap_not_an_idle_process() -> None:
    """Both workers use a core; the second sample lacks one: no interval with it counts."""

    def both(t: float) -> list[dict[str, Any]]:
        return [_process(1, t, 10_000_000), _process(2, t, 10_000_000)]

    samples = [_sample(t, both(t)) for t in range(5)]
    samples[1] = _sample(1, [_process(1, 1, 10_000_000)], problems={"workers 2": "gone"})

    resources = resources_of(samples)

    assert resources.workers_cpu_mean_percent == pytest.approx(200)
    assert resources.failed_probes == 1


def test_a_process_that_began_between_two_samples_counts_with_all_that_it_used() -> None:
    """A server's session that used half a second before its first sample."""
    samples = [
        _sample(0, [], servers=[_process(1, 3.0)]),
        _sample(1, [], servers=[_process(1, 3.25), _process(2, 0.5)]),
    ]
    assert resources_of(samples).of("servers").cores_mean == pytest.approx(0.75)


def test_memory_of_a_role_of_which_a_process_is_missing_is_not_its_memory() -> None:
    partial = {"workers": [_process(1, 0, 10)], "problems": {"workers 2": "denied"}}
    samples = [_sample(t, **partial) for t in range(3)]  # type: ignore[arg-type]

    assert resources_of(samples).workers_pss_peak_mb is None
    assert resources_of(samples).failed_probes == 3


def test_memory_that_is_denied_leaves_the_cpu_of_the_process_known() -> None:
    """Another user's server: its PSS is not ours to read, its CPU is."""
    denied = {"problems": {"servers 7 memory": "Permission denied"}}
    samples = [
        _sample(t, [], servers=[_process(7, 0.5 * t, None, rss_bytes=3_000_000)], **denied)
        for t in range(3)
    ]
    servers = resources_of(samples).of("servers")
    assert servers.pss_peak_mb is None
    assert (servers.cores_mean, servers.rss_peak_mb) == (0.5, 3.0)
    (gap,) = resources_of(samples).gaps
    assert (gap.what, gap.reason, gap.samples) == ("servers memory", "Permission denied", 3)


def test_memory_is_the_peak_of_the_sum_in_millions_of_bytes() -> None:
    samples = [
        _sample(0, [_process(1, pss=300_000_000), _process(2, pss=10_000_000)]),
        _sample(1, [_process(1, pss=200_000_000), _process(2, pss=150_000_000)]),
    ]

    assert resources_of(samples).workers_pss_peak_mb == pytest.approx(350)
    assert resources_of(samples).of("workers").pss_mean_mb == pytest.approx(330)


def test_roles_and_servers_are_kept_apart() -> None:
    samples = [
        _sample(
            t,
            [_process(1, t * 1.0, 1_000_000)],
            harness=[_process(2, t * 0.1, 2_000_000)],
            servers=[
                _process(3, t * 0.3, 4_000_000, service="postgres"),
                _process(4, t * 0.2, 5_000_000, service="redis"),
            ],
            problems={"servers 9": "gone"} if t == 1 else {},
        )
        for t in range(4)
    ]

    found = resources_of(samples)

    assert found.workers_cpu_mean_percent == pytest.approx(100)
    assert found.of("harness").cores_mean == pytest.approx(0.1)
    assert found.of("servers").cores_mean == pytest.approx(0.5)
    peaks = (
        found.workers_pss_peak_mb,
        *(found.of(one).pss_peak_mb for one in ("harness", "servers")),
    )
    assert peaks == (1, 2, 9)
    assert [use.role for use in found.roles[3:]] == ["postgres", "redis"]
    assert found.of("redis").cores_mean == pytest.approx(0.2)
    assert found.of("redis").pss_peak_mb == 5


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


def test_waiting_for_a_core_rests_on_the_pairs_of_samples_that_have_it() -> None:
    """Three threads waited; of a large process only two samples in five hold it."""
    delays = [0.0, 3.0, None, None, None, 15.0, 18.0]
    samples = [_sample(t, [_process(1, t, run_delay_s=delay)]) for t, delay in enumerate(delays)]
    assert resources_of(samples).of("workers").run_delay == pytest.approx(3.0)
    assert resources_of(samples[1:5]).of("workers").run_delay is None


def test_without_samples_nothing_was_measured() -> None:
    found = resources_of([])
    values = {name: value for name, value in vars(found).items() if value not in (None, (), "")}
    why = values.pop("network_why_not")
    roles, others = values.pop("roles"), values.pop("others")
    assert (others.cores, others.why_not) == (None, "the machine's counters were not read")
    assert values == {"samples": 0, "failed_probes": 0}
    assert {value for use in roles for value in list(vars(use).values())[1:]} == {None}
    assert why == "there was no server"


def test_fields_that_no_line_has_are_gaps() -> None:
    """CPU and PSS are known, everything else is not measured."""
    samples = [_sample(t, [_process(1, t, 1_000_000)]) for t in range(3)]
    found = resources_of(samples, samples)
    workers = found.of("workers")
    assert (workers.cores_mean, workers.pss_peak_mb) == (1.0, 1.0)
    assert (workers.uss_peak_mb, workers.threads_peak, workers.run_delay) == (None, None, None)
    assert (found.host, found.monitor, found.server_counters, found.interfaces) == (
        None,
        None,
        (),
        (),
    )


def test_the_machine_and_the_monitor_itself_are_summed_up() -> None:
    """1.5 cores busy of 4, and samples of 30 and 10 ms of CPU, one a second."""
    samples = [
        _sample(
            t,
            [],
            host={
                "busy_s": 100 + 1.5 * t,
                "iowait_s": 0.25 * t,
                "steal_s": 0.0,
                "idle_s": 2.25 * t,
                "cores_usable": 4,
                "memory_available_bytes": 9_000_000 - t * 1_000_000,
                "network": {
                    "lo": {"sent_bytes": 5 + 1_000_000 * t, "recv_bytes": 1_000_000 * t},
                    "eth0": {"sent_bytes": 7, "recv_bytes": 7},
                },
            },
            took_ms=40.0 if t == 1 else 20.0,
            cpu_ms=30.0 if t == 1 else 10.0,
        )
        for t in range(3)
    ]
    found = resources_of(samples)
    assert found.host is not None
    assert (found.host.usable, found.host.busy, found.host.iowait) == (4, 1.5, 0.25)
    assert found.host.memory_available_mb == 7
    assert [(i.name, i.sent_mb, i.recv_mb) for i in found.interfaces] == [("lo", 2.0, 2.0)]
    assert found.monitor is not None
    assert found.monitor.took_mean_ms == pytest.approx(80 / 3)
    assert found.monitor.took_max_ms == 40
    assert found.monitor.core_percent == pytest.approx(100 * 40 / 2000)


def test_what_is_not_counted_at_all_is_no_failed_probe() -> None:
    problems = {"not told: io_delay_s": "the kernel does not count it", "workers 5": "gone"}
    found = resources_of([_sample(t, [], problems=problems) for t in range(2)])
    assert found.failed_probes == 2
    assert [(gap.what, gap.samples, gap.failed) for gap in found.gaps] == [
        ("io_delay_s", 2, False),
        ("workers", 2, True),
    ]


def test_the_series_holds_every_sample_since_the_go() -> None:
    samples = [_sample(t, [_process(1, 0.5 * t, 1_000_000 * t)]) for t in range(10, 13)]
    points = resources_of([], samples, go_ns=11 * SECOND).series
    assert [(p.t_s, p.workers_cores, p.workers_mb) for p in points] == [
        (-1.0, None, 10.0),
        (0.0, 0.5, 11.0),
        (1.0, 0.5, 12.0),
    ]
    assert points[0].servers_mb is None


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
