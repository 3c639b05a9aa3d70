"""What really ran stands first, and what was not recorded is called so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.run import provenance
from tests.manifests import changed, make_manifest

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def _facts(metrics: RunMetrics) -> list[tuple[str, str]]:
    return [(fact.term, fact.cell.text) for fact in provenance.test_conditions(metrics)]


@pytest.mark.parametrize(
    ("service", "product", "shown"),
    [
        ("postgres", "PostgreSQL", "PostgreSQL 1.2"),
        ("redis", "Redis", "Redis 1.2"),
        ("redis", "Valkey", "Valkey 1.2 in place of Redis"),
        ("mysql", "MariaDB", "MariaDB 1.2 in place of MySQL"),
    ],
)
def test_a_replacement_is_named_with_the_product_that_it_replaces(
    service: str, product: str, shown: str
) -> None:
    server = {"service": service, "product": product, "version": "1.2"}
    (answered,) = make_manifest(servers=[server]).servers
    assert provenance.product_and_version(answered) == shown


def test_the_versions_that_ran_are_at_the_top(baseline: RunMetrics) -> None:
    assert _facts(baseline)[:3] == [
        ("Target", "kailash 2.65.0"),
        ("Server", "PostgreSQL 18.1"),
        ("Server", "Valkey 9.0.1 in place of Redis"),
    ]


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (("kailash", "kailash", "LocalRuntime"), "kailash 2.65.0"),
        (("kailash==2.65.0+pandas", "kailash", "LocalRuntime"), "kailash==2.65.0+pandas"),
        (("control_async", "kailash", "no runtime"), "control_async: no runtime"),
        (("callable", "", "functions of your own"), "callable: functions of your own"),
    ],
)
def test_a_target_is_called_by_its_text_and_its_version_or_what_it_is(
    baseline: RunMetrics, target: tuple[str, str, str], shown: str
) -> None:
    keys = dict(zip(("name", "package", "title"), target, strict=True))
    manifest = changed(baseline.manifest, target=keys)

    assert _facts(replace(baseline, manifest=manifest))[0] == ("Target", shown)


def test_a_function_is_a_workflow_without_complexity(baseline: RunMetrics) -> None:
    workloads = [{"family": "mine:work", "complexity": "", "weight": 1.0}]
    metrics = replace(baseline, manifest=changed(baseline.manifest, workloads=workloads))

    assert ("Workflows", "mine:work") in _facts(metrics)


def test_what_a_killed_run_could_not_record_is_shown_as_not_recorded(empty: RunMetrics) -> None:
    """It has neither an end nor worker processes nor the time that others stole."""
    shown = {fact.term: fact.cell for fact in provenance.test_conditions(empty)}
    assert shown["When"].note == "until not recorded"
    assert "stolen" not in shown["Machine"].note
    groups = dict(provenance.environment(empty))
    assert [fact.cell.text for fact in groups["Worker processes"]] == ["not recorded"]
    assert ("steal_percent", "not recorded") in [
        (fact.term, fact.cell.text) for fact in groups["Host"]
    ]


def test_a_run_that_needs_no_server_says_so(baseline: RunMetrics) -> None:
    metrics = replace(baseline, manifest=replace(baseline.manifest, servers=()))
    assert ("Servers", "no server was needed") in _facts(metrics)


def test_the_server_that_requests_go_to_is_named_on_top(baseline: RunMetrics) -> None:
    """Whoever decides must see which server was measured; it stood in metrics.json alone."""
    kinds = [
        {"family": name, "complexity": "", "request": {"url": url, "method": method}}
        for name, method, url in (
            ("order", "POST", "http://10.0.0.1:8000/order/{number}"),
            ("stock", "GET", "http://10.0.0.1:8000"),
        )
    ]
    manifest = changed(baseline.manifest, workloads=kinds, servers=[])
    metrics = replace(baseline, manifest=manifest)
    (server,) = [one for one in provenance.test_conditions(metrics) if one.term == "Server"]
    assert server.cell.text == "http://10.0.0.1:8000"
    assert server.cell.note == "order: POST /order/{number}; stock: GET /"
    assert "http://10.0.0.1:8000" in [cell.text for cell in provenance.in_short(metrics)]
    assert "no server was needed" not in dict(_facts(metrics)).values()


def test_an_end_that_was_not_recorded_does_not_hide_the_start(baseline: RunMetrics) -> None:
    manifest = replace(baseline.manifest, ended_at=None)
    assert dict(_facts(replace(baseline, manifest=manifest)))["When"] == "2026-11-24 05:30:12 UTC"


def test_everything_in_the_manifest_is_in_the_environment(baseline: RunMetrics) -> None:
    shown = "\n".join(
        f"{fact.term}={fact.cell.text}"
        for _, facts in provenance.environment(baseline)
        for fact in facts
    )
    for line in (
        *("shared_buffers=128MB", "save=empty", "sqlalchemy=2.0.44", "dagster=1.13.27"),
        *(
            "switch_interval_s=0.005",
            "connection_timeout_s=60",
            f"500={'3c' * 32}",
            "git_dirty=yes",
        ),
        *("cpu_model=Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", "seed=20261124"),
    ):
        assert line in shown


def test_what_the_proxy_in_the_path_adds_stands_among_the_conditions(baseline: RunMetrics) -> None:
    """A failure of the network must not be charged with it, nor a level without one."""
    assert "Proxy" not in dict(_facts(baseline))
    proxy = {
        "services": ["postgres", "redis"],
        "version": "perf_pipeline-1",
        "direct_s": 60e-6,
        "added_s": 85e-6,
        "added_p99_s": 0.4e-3,
        "cpu_s": 64e-6,
        "round_trips": 300,
        "busy": {"00-100": 0.12, "01-500": 0.46},
    }
    metrics = replace(baseline, manifest=changed(baseline.manifest, proxy=proxy))
    shown = "adds 85.0 us to a round trip to PostgreSQL, Redis, busy for up to 46.0 % of a level"
    assert ("Proxy", shown) in _facts(metrics)
    (fact,) = [one for one in provenance.test_conditions(metrics) if one.term == "Proxy"]
    assert "0.400 ms at the 99th percentile, 64.0 us of CPU time each" in fact.cell.note
    assert "takes 60.0 us (medians of 300 each way" in fact.cell.note
    assert "of level 01-500" in fact.cell.note
    assert "Proxy" in dict(provenance.environment(metrics))


def test_a_container_of_the_stack_stands_with_its_limits(baseline: RunMetrics) -> None:
    inside = {
        "engine": "/var/run/docker.sock",
        "id": "0123456789abcdef",
        "name": "perf_pipeline_redis",
        "image": "redis:7.2.5",
        "cpus": 1.5,
        "memory_bytes": None,
    }
    server = {"service": "redis", "product": "Redis", "source": "stack", "container": inside}
    (served,) = make_manifest(servers=[server]).servers
    metrics = replace(baseline, manifest=replace(baseline.manifest, servers=(served,)))
    (fact,) = [one for one in provenance.test_conditions(metrics) if one.term == "Server"]
    assert fact.cell.note.startswith("a container of the running Compose stack")
    shown = (
        "container perf_pipeline_redis (0123456789ab) of redis:7.2.5: 1.50 CPUs, no memory limit"
    )
    assert shown in fact.cell.note
    assert "image redis:7.2.5" in str(provenance.environment(metrics))
    assert "container" not in [
        fact.term
        for _, facts in provenance.environment(baseline)[1:3]
        for fact in facts  # of servers that are in none
    ]
