"""What really ran stands first, and what was not recorded is called so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.run import provenance

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def _facts(metrics: RunMetrics) -> list[tuple[str, str]]:
    return [(fact.term, fact.cell.text) for fact in provenance.what_ran(metrics)]


@pytest.mark.parametrize(
    ("service", "product", "shown"),
    [
        ("postgres", "PostgreSQL", "PostgreSQL 1.2"),
        ("redis", "Redis", "Redis 1.2"),
        ("redis", "Valkey", "Valkey 1.2 in place of Redis"),
        ("mysql", "MariaDB", "MariaDB 1.2 in place of MySQL"),
        ("", "Valkey", "Valkey 1.2"),
    ],
)
def test_a_stand_in_is_named_with_what_it_stands_for(
    service: str, product: str, shown: str
) -> None:
    server = {"service": service, "product": product, "version": "1.2"}
    assert provenance.product_and_version(server) == shown


def test_an_unknown_product_does_not_pass_for_the_expected_one() -> None:
    shown = provenance.product_and_version({"service": "redis"})
    assert shown.startswith("unknown product (not recorded)")
    assert shown.endswith("in place of Redis")


def test_the_versions_that_ran_stand_at_the_top(baseline: RunMetrics) -> None:
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
    manifest = baseline.manifest
    manifest = {**manifest, "target": {**manifest["target"], **keys}}

    assert _facts(replace(baseline, manifest=manifest))[0] == ("Target", shown)


def test_a_function_is_a_workflow_without_complexity(baseline: RunMetrics) -> None:
    workloads = [{"family": "mine:work", "complexity": "", "weight": 1.0}]
    metrics = replace(baseline, manifest={**baseline.manifest, "workloads": workloads})

    assert ("Workflows", "mine:work") in _facts(metrics)


def test_an_empty_manifest_is_not_recorded_line_by_line(empty: RunMetrics) -> None:
    facts = dict(_facts(empty))
    for term in ("Target", "Servers", "Workflows", "Machine", "Seed", "When", "Measured with"):
        assert facts[term] == "not recorded"


def test_a_run_that_needs_no_server_says_so(baseline: RunMetrics) -> None:
    metrics = replace(baseline, manifest={**baseline.manifest, "servers": []})
    assert ("Servers", "no server was needed") in _facts(metrics)


def test_an_end_that_is_no_time_does_not_hide_the_start(baseline: RunMetrics) -> None:
    manifest = {**baseline.manifest, "started_at": "2026-11-24T05:30:12", "ended_at": None}
    assert dict(_facts(replace(baseline, manifest=manifest)))["When"] == "2026-11-24 05:30:12"


def test_everything_in_the_manifest_is_in_the_environment(baseline: RunMetrics) -> None:
    shown = "\n".join(
        f"{fact.term}={fact.cell.text}"
        for _, facts in provenance.environment(baseline)
        for fact in facts
    )
    for line in (
        *("shared_buffers=128MB", "save=empty", "sqlalchemy=2.0.44", "dagster=1.13.27"),
        *("switch_interval_s=0.005", "per_process=25", f"500={'3c' * 32}", "git_dirty=yes"),
        *("cpu_model=Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", "seed=20261124"),
    ):
        assert line in shown
