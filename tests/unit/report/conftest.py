"""Two runs to report on: one as the baseline gives it, and one as ugly as runs can get."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.kpi import kpi_grades
from perf_pipeline.analysis.targets import target_rows
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.metrics.types.bottleneck import Bottleneck, Evidence
from perf_pipeline.metrics.types.cpu_use import CpuOfOthers, CpuPerWorkflow, HostCores
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.noise import Noise, NoiseFigure
from perf_pipeline.metrics.types.open_load import ArrivalSecond, Lag, OpenLoad
from perf_pipeline.metrics.types.records import (
    ColdStart,
    Fairness,
    FamilyMetrics,
    InFlight,
    TimePoint,
    WorkerEnd,
    Writes,
)
from perf_pipeline.metrics.types.repeats import LevelRepeats, RepeatedValue
from perf_pipeline.metrics.types.resource_use import (
    Gap,
    MonitorCost,
    ResourcePoint,
    Resources,
    RoleUse,
)
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.metrics.types.server_use import (
    ConnectionUse,
    InterfaceTotal,
    ServerCounters,
    ServerTraffic,
)
from perf_pipeline.metrics.types.service_times import Distribution, Percentile, ServiceTimes
from perf_pipeline.metrics.types.slo_verdict import SloVerdict
from perf_pipeline.metrics.types.steady_state import Drift, SteadyState
from perf_pipeline.metrics.types.targets import KpiGrade, TargetRow
from tests.manifests import make_manifest

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.validity import Validity
    from perf_pipeline.samples.manifest import Manifest

HOSTILE = (
    "<script>alert('x')</script> \x1b[31mred\x1b[0m \u202egnirts \x00 \ud800 | `code` "
    "[link](http://evil.example) {{ 7 * 7 }} <img src=http://evil.example/p.png onerror=alert(1)>"
    ' "quoted" </style><style>*{display:none}</style>\nsecond line'
)


def manifest() -> Manifest:
    """Return a manifest with everything in it."""
    return make_manifest(
        run_id="2026-11-24T05-30-12Z-4f2c",
        scenario="baseline",
        title="Baseline: normal load",
        seed=20261124,
        started_at="2026-11-24T05:30:12+00:00",
        ended_at="2026-11-24T05:37:40+00:00",
        processes=2,
        plan_hashes={"100": "9f" * 32, "500": "3c" * 32, "1000": "71" * 32},
        host={
            "cpu_model": "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
            "cores_usable": 2,
            "memory_total_bytes": 8_331_276_288,
            "kernel": "6.1.0-28-cloud-amd64",
            "steal_percent": 0.4,
        },
        servers=[
            {
                "url": "postgresql://perf:***@127.0.0.1:20331/perf",
                "settings": {"shared_buffers": "128MB", "fsync": "on"},
            },
            {
                "service": "redis",
                "product": "Valkey",
                "version": "9.0.1",
                "url": "redis://127.0.0.1:20332/0",
                "max_connections": 10000,
                "settings": {"save": "", "appendonly": "no"},
            },
        ],
        target={
            "name": "kailash",
            "python": "3.11.2",
            "lock_hash": "b1946ac92492d2347c6235b4d2611184",
            "packages": {"kailash": "2.65.0", "sqlalchemy": "2.0.44", "redis": "6.4.0"},
        },
        harness={
            "git_commit": "01288c3d9aa1f0b1c2d3e4f5",
            "git_dirty": True,
            "git_problem": "",
            "python": "3.11.2",
            "packages": {"dagster": "1.13.27", "polars": "2.1.0"},
        },
        runtime={
            "gc": "enabled, 700/10/10",
            "switch_interval_s": "0.005",
            "timer_slack_ns": "50000",
        },
        workloads=[
            {"family": "transformation", "complexity": "medium"},
            {"family": "analytics", "complexity": "complex"},
        ],
        connections={"connection_timeout_s": 60.0},
    )


def percentiles(median_s: float, samples: int, *, at_least: bool = False) -> tuple[Percentile, ...]:
    """Return p50, p90 and p99 of a long-tailed distribution."""
    return tuple(
        Percentile(p, median_s * factor, at_least and p > 0.5, int(samples * (1 - p)))
        for p, factor in ((0.5, 1.0), (0.9, 2.3), (0.99, 6.1))
    )


def times(median_s: float, samples: int, unended: int, *, at_least: bool = False) -> ServiceTimes:
    """Return service times around a median."""
    return ServiceTimes(
        samples=samples,
        in_flight_at_end=unended,
        avg_s=median_s * 1.35,
        min_s=median_s * 0.2,
        max_s=median_s * 9.3,
        percentiles=percentiles(median_s, samples, at_least=at_least),
    )


def distribution(median_s: float, samples: int, unended: int) -> Distribution:
    """Return four buckets around a median, the last of them of what had not ended."""
    counts = (samples // 4, samples // 2, samples - samples // 4 - samples // 2, 0)
    total = samples + unended
    longer = [1 - sum(counts[: place + 1]) / total for place in range(4)]
    edges = tuple(median_s * 10 ** (place / 20) for place in (-2, -1, 1, 3, 5))
    return Distribution(edges, counts, (0, 0, 0, unended), tuple(longer))


def level(
    index: int,
    label: str,
    concurrency: int,
    throughput_per_s: float,
    *,
    steady_s: float = 20.0,
    role: str = "level",
    target: str = "kailash",
    nodes: str = "code",
    validity: Validity = "valid",
) -> LevelMetrics:
    """Return a level that ran with ``concurrency`` in flight at a rate."""
    rng = random.Random(index)
    samples = int(throughput_per_s * steady_s)
    median_s = concurrency / throughput_per_s / 1.35
    length_s = int(13 + steady_s + min(10, 3 * median_s))
    errors = 17 if label == "1000" else 0
    return LevelMetrics(
        index=index,
        label=label,
        role=role,
        repeat=0,
        target=target,
        nodes=nodes,
        concurrency=concurrency,
        validity=validity,
        reasons=() if validity == "valid" else ("2.1 turnovers in 150 s, 3 are needed",),
        outcomes={
            "ok": int(samples * 1.5),
            "error": errors,
            "timeout": 0,
            "dropped": 0,
            "abandoned": concurrency // 4,
        },
        steady_outcomes={"ok": samples - errors, "error": errors, "timeout": 0, "abandoned": 0},
        error_classes={"connection": errors, "timeout": 0},
        steady_error_classes={"connection": errors},
        error_examples={
            "connection": (
                "QueuePool limit of size 25 overflow 0 reached, connection timed out, timeout 60",
            )
        }
        if errors
        else {},
        phases={
            "cold": (0.0, 1.2),
            "ramp_up": (1.2, 6.2),
            "warm_up": (6.2, 11.2),
            "steady": (11.2, 11.2 + steady_s),
            "drain": (11.2 + steady_s, float(length_s)),
        },
        throughput_per_s=throughput_per_s,
        error_ratio=errors / samples,
        turnovers=samples / concurrency,
        service_times=times(median_s, samples, concurrency, at_least=label == "1000"),
        distribution=distribution(median_s, samples, concurrency),
        families=(
            FamilyMetrics(
                "transformation",
                "medium",
                throughput_per_s / 2,
                0.0,
                times(median_s * 0.9, samples // 2, concurrency // 2),
            ),
            FamilyMetrics(
                "analytics",
                "complex",
                throughput_per_s / 2,
                2 * errors / samples,
                times(median_s * 1.1, samples // 2, concurrency // 2, at_least=label == "1000"),
            ),
        ),
        in_flight=InFlight(
            concurrency,
            float(concurrency),
            concurrency - 1,
            {"runtime": 0.812, "pool": 0.121, "postgres": 0.052, "redis": 0.015},
            1840,
        ),
        fairness=Fairness(concurrency, concurrency // 40, 12.0, 41, 0.87),
        cold_starts=tuple(
            ColdStart(worker, family, complexity, 0.8 + worker / 3 + len(family) / 50, "ok")
            for worker in (0, 1)
            for family, complexity in (("transformation", "medium"), ("analytics", "complex"))
        ),
        writes=(
            Writes("postgres", samples // 2, samples // 2 + 3, 0, 3),
            Writes("redis", samples // 2, samples // 2, 0, 0),
        ),
        connections=(
            ConnectionUse(
                *("postgres", 50, 50, 48.6, "SQLAlchemy pool, 25 a process", 0),
                *(30.1, 18.5, 2.5, 100.0, "sessions named perf_pipeline-r in pg_stat_activity"),
            ),
            ConnectionUse(
                *("redis", 50, 31, 22.4, "connection pool, 25 a process", 0),
                *(None, None, 0.0, 62.0, "clients named perf_pipeline-r in CLIENT LIST"),
            ),
        ),
        resources=Resources(
            *(412.6, 192.4, 199.1, 0.0, 12.3),
            samples=int(steady_s),
            failed_probes=0,
            roles=(
                RoleUse("workers", 2, *(412.6, 398.1, 377.7, 430.2, 1.924, 1.991)),
                RoleUse("harness", 1, *(88.2, 88.0, 80.1, 99.3, 0.031, 0.05)),
                RoleUse("servers", 61, *(143.0, 140.2, 100.4, 912.5, 0.215, 0.33)),
                RoleUse("postgres", 60, *(137.0, 134.2, 96.4, 900.0, 0.2, 0.3)),
            ),
            host=HostCores(2, 1.9, 0.01, 0.02, 0.07, 19.0, 20_123.4),
            others=CpuOfOthers(0.1, 1.8, ""),
            server_counters=(
                ServerCounters(
                    *("postgres", None, None, None, None, 812.3, 0.0021, 3.2),
                    "transactions and active_time of pg_stat_database",
                    shared=False,
                    unavailable={
                        "sent_bytes": "it does not count",
                        "recv_bytes": "it does not count",
                    },
                ),
                ServerCounters(
                    *("redis", 1.0, 2.0, 0.1, 0.2, 400.0, 0.000004, None),
                    "INFO commandstats",
                    shared=True,
                    unavailable={"storage_read_bytes": "its data are in memory"},
                ),
            ),
            interfaces=(InterfaceTotal("lo", 12.5, 12.5),),
            traffic=(
                ServerTraffic("postgres", 12.0, 48.0, 8.0, 25, 0),
                ServerTraffic(
                    *("redis", 0.4, 0.8, 8.0, 412, 387),
                    at_least="the last bytes of 3 connections that ended are not known",
                ),
                ServerTraffic("mongodb", why_not="no TCP address of it is known"),
            ),
            network_why_not="mongodb: no TCP address of it is known",
            monitor=MonitorCost(21.4, 33.0, 1.9),
            gaps=(Gap("io_delay_s", "the kernel does not count it", int(steady_s), failed=False),),
            series=tuple(
                ResourcePoint(float(t), *(1.9, 0.03, 0.2), *(400.0 + t, 88.0, 140.0))
                for t in range(-1, length_s)
            ),
        ),
        cpu_per_workflow=CpuPerWorkflow(
            *(1.924 / throughput_per_s, 1.9 / throughput_per_s, 1.948 / throughput_per_s),
            *(samples, 1.924 * steady_s),
        ),
        workers=(
            WorkerEnd(0, "done", 0.53, 0),
            WorkerEnd(1, "done", 1.31 if label == "1000" else 0.51, 0),
        ),
        seconds=tuple(
            _second(t, length_s, throughput_per_s, median_s, concurrency, rng)
            for t in range(length_s)
        ),
        started_at="2026-11-24T05:31:02+00:00",
        ended_at="2026-11-24T05:31:43+00:00",
        not_measured={
            "network_io_sent_mb": "mongodb: no TCP address of it is known",
            "network_io_recv_mb": "mongodb: no TCP address of it is known",
        },
    )


def _second(
    t: int, length_s: int, rate: float, median_s: float, concurrency: int, rng: random.Random
) -> TimePoint:
    ramp = min(1.0, max(0.02, (t - 1) / 6)) * (1.0 if t < length_s - 2 else 0.4)
    ended = max(0, int(rng.gauss(rate * ramp, math.sqrt(rate * ramp))))
    return TimePoint(
        t_s=float(t),
        ended_ok=ended,
        ended_not_ok=1 if rng.random() < 0.05 else 0,
        p50_s=median_s * rng.uniform(0.85, 1.2) if ended else None,
        p99_s=median_s * rng.uniform(4, 7) if ended else None,
        in_flight=concurrency * ramp if t < 7 or t > length_s - 3 else float(concurrency),
    )


def objective() -> SloVerdict:
    """Return an objective that was missed, in hostile words."""
    slo = Slo("p99_s", 0.5, family=HOSTILE, level=HOSTILE)
    return SloVerdict(
        *(slo, HOSTILE, 0, HOSTILE, HOSTILE, 0.7, 0.6, 0.8, False, 3, "incomplete", None),
        *("missed", HOSTILE),
    )


def repeated(label: str, second: Validity) -> LevelRepeats:
    """Return a level that was played twice."""
    rates = RepeatedValue(
        *("throughput_per_s", "/s", (100.0, 120.0), 2, 110.0, 90.5, 129.5, 20.0, 18.2),
        *(97.0, 103.0, 0.002),
    )
    errors = RepeatedValue(
        *("error_ratio", "ratio", (0.0, None), 1, 0.0, None, None, 0.0, None),
        *(None, None, None),
    )
    return LevelRepeats(label, (0, 1), ("valid", second), (rates, errors))


@pytest.fixture(scope="session")
def baseline() -> RunMetrics:
    """A baseline as it comes out: three levels with code nodes, two arms, one level not steady."""
    levels = (
        level(0, "100", 100, 331.4),
        level(1, "500", 500, 288.1),
        level(2, "1000", 1000, 142.8, steady_s=150.0, validity="not_steady"),
        level(3, "lean", 100, 3120.0, steady_s=10.0, role="arm", nodes="lean"),
        level(4, "control", 100, 8410.0, steady_s=10.0, role="arm", target="control", nodes="lean"),
    )
    return RunMetrics(
        run_id="2026-11-24T05-30-12Z-4f2c",
        status="complete",
        validity="not_steady",
        reasons=("1000: 2.1 turnovers in 150 s, 3 are needed",),
        manifest=manifest(),
        levels=levels,
        targets=target_rows(levels),
        kpis=kpi_grades(levels),
    )


@pytest.fixture(scope="session")
def empty() -> RunMetrics:
    """A run that was killed before anything was measured or recorded."""
    return RunMetrics("r", "killed", "incomplete", (), make_manifest(), (), (), ())


@pytest.fixture(scope="session")
def ugly(baseline: RunMetrics) -> RunMetrics:
    """A killed run: nothing measured at one level, hostile text wherever text can stand."""
    nothing = ServiceTimes(
        0, 0, None, None, None, tuple(Percentile(p, None, False, 0) for p in (0.5, 0.9, 0.99))
    )
    bare = replace(
        baseline.levels[0],
        label=HOSTILE,
        target=HOSTILE,
        nodes=HOSTILE,
        validity="incomplete",
        reasons=(HOSTILE,),
        outcomes={HOSTILE: 3},
        steady_outcomes={},
        error_classes={"other": 3, HOSTILE: 1},
        steady_error_classes={},
        error_examples={"other": (HOSTILE, "x" * 1_000_000)},
        phases={HOSTILE: (0.0, 9.0)},
        throughput_per_s=None,
        error_ratio=None,
        turnovers=None,
        service_times=nothing,
        families=(FamilyMetrics(HOSTILE, HOSTILE, 0.0, None, nothing),),
        in_flight=InFlight(100, None, None, {}, 0),
        fairness=None,
        cold_starts=(ColdStart(0, HOSTILE, HOSTILE, 0.1, HOSTILE),),
        writes=(Writes(HOSTILE, 3, None, None, None, HOSTILE), Writes("redis", 3, 1, 2, 0)),
        connections=(ConnectionUse(HOSTILE, 50, None, None, HOSTILE, 9),),
        resources=Resources(
            *(None,) * 5,
            samples=0,
            failed_probes=9,
            roles=(RoleUse(HOSTILE),),
            server_counters=(ServerCounters(HOSTILE, *(None,) * 7, HOSTILE, shared=True),),
            interfaces=(InterfaceTotal(HOSTILE, 0.0, 0.0),),
            traffic=(
                ServerTraffic(HOSTILE, 0.0, 0.0, 0.0, 0, 0, at_least=HOSTILE),
                ServerTraffic(HOSTILE, why_not=HOSTILE),
            ),
            gaps=(Gap(HOSTILE, HOSTILE, 9, failed=True),),
        ),
        workers=(WorkerEnd(0, HOSTILE, None, 50), WorkerEnd(1, "killed by SIGKILL", 0.4, 50)),
        seconds=(TimePoint(0.0, 0, 0, None, None, 3.0), TimePoint(1.0, 1, 1, 0.2, 0.2, math.nan)),
        started_at=HOSTILE,
        ended_at="",
        not_measured={"throughput": HOSTILE, HOSTILE: HOSTILE},
        bottleneck=Bottleneck("unclear", HOSTILE, (Evidence(HOSTILE, HOSTILE, 1.0, HOSTILE),)),
        noise=Noise(
            "noisy", (HOSTILE,), False, (NoiseFigure(HOSTILE, 1.0, "%", 0.5, True, HOSTILE),)
        ),
        loop="open",
        response_times=nothing,
        open_load=OpenLoad(
            *(HOSTILE, HOSTILE, 4, 1.0, 3, None, None, 3, 0, 1, Lag(0, None, None, None), None),
            control_why_not=HOSTILE,
            seconds=(ArrivalSecond(0.0, 3, 0, 0, 0, 3, 0), ArrivalSecond(1.0, 0, 0, 0, 0, 0, 0)),
        ),
        slos=(objective(),),
        steady_state=SteadyState(None, "not_steady", HOSTILE, {HOSTILE: Drift(0.2, 0.1, 0.3)}),
        throughput_interval_why=HOSTILE,
    )
    silent = replace(bare, index=1, label="500", seconds=(), phases={}, workers=(), writes=())
    return RunMetrics(
        run_id=HOSTILE,
        status="killed",
        validity="incomplete",
        reasons=(HOSTILE,),
        manifest=make_manifest(
            scenario=HOSTILE,
            title=HOSTILE,
            servers=[
                {"product": HOSTILE, "version": HOSTILE, "url": HOSTILE, "notes": [HOSTILE]},
                {"service": HOSTILE, "settings": {HOSTILE: HOSTILE}},
            ],
            host={"cpu_model": HOSTILE, "kernel": HOSTILE, "container": HOSTILE},
            target={"name": HOSTILE, "title": HOSTILE, "packages": {HOSTILE: HOSTILE}},
            harness={"version": HOSTILE, "packages": {HOSTILE: HOSTILE}, "git_commit": HOSTILE},
            environments={HOSTILE: {"python": HOSTILE, "packages": {HOSTILE: HOSTILE}}},
            workloads=[{"family": HOSTILE, "complexity": ""}],
            connections={"pools": {HOSTILE: HOSTILE}},
            plan_hashes={HOSTILE: HOSTILE},
            left_out=[HOSTILE],
            runtime={HOSTILE: HOSTILE},
        ),
        levels=(bare, silent),
        targets=(
            TargetRow("goal", HOSTILE, HOSTILE, None, 1.0, HOSTILE, False, None, "no_data"),
            TargetRow(HOSTILE, "500", "memory", None, 1.0, "MB", False, None, "no_data"),
        ),
        kpis=(KpiGrade("500", HOSTILE, None, HOSTILE, "no_data", HOSTILE),),
        repeats=(repeated(HOSTILE, "incomplete"),),
    )


@pytest.fixture
def opened(baseline: RunMetrics) -> LevelMetrics:
    """A level of 500 arrivals a second, of which some were dropped."""
    load = OpenLoad(
        offered="500/s (poisson)",
        schedule="poisson",
        slots=64,
        start_timeout_s=5.0,
        scheduled=1500,
        offered_per_s=501.0,
        left_per_s=480.0,
        never_started=12,
        checked=1488,
        unexplained=0,
        lag=Lag(1488, 0.0004, 0.9, 1.2),
        control_lag=None,
        control_why_not="the control target was not run",
        seconds=tuple(
            ArrivalSecond(float(at), 500, 496, 0, 0, 4, 0, 0.25, 1.5 - at / 4, 40.0 * at)
            for at in range(3)
        ),
    )
    level = baseline.levels[0]
    outcomes = {**level.outcomes, "dropped": 12}
    times = level.service_times
    return replace(level, loop="open", open_load=load, outcomes=outcomes, response_times=times)
