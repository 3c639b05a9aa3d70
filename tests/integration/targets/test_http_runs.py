"""Requests against a loopback service as runs play them, closed and at a rate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest

from perf_pipeline import open_scenario
from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.http.http_request import HttpRequest
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.run import Run
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.selftest.loads.only_level import open_level
from perf_pipeline.targets.http.adapter import FAILED, OPENED
from tests.integration.conftest import settings_in
from tests.unit.targets.http.answering import WAYS, answering

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.steps import CountMetrics
    from tests.unit.targets.http.answering import Answering

pytestmark = pytest.mark.integration

TOKEN = "canary-t0ken-77ab"

SCENARIO = f"""
target = "http"
interpreter = "{sys.executable}"
concurrency = [3]
processes = 1
max_error_ratio = 1

[[requests]]
name = "kept"
url = "URL/parts?n={{number}}"

[[requests]]
name = "new"
url = "URL/parts?n={{number}}"
connection = "new"

[[requests]]
name = "told"
url = "URL/headers?n={{number}}"
headers = {{ Authorization = "Bearer ${{SHOP_TOKEN}}" }}

[environment]
pass = ["SHOP_TOKEN"]

[phases]
duration = 0.5
ramp_up_s = 0.1
warm_up_s = 0.2
drain_s = 2
"""


def check_account(frame: pl.DataFrame, service: Answering) -> None:
    """Check records by what the service saw: each request once, and its times within the record's.

    The service reads the same clock. What it does between the head of a request and the last part
    of its answer lies within the time that the record calls service time.
    """
    numbers = [int(path.rpartition("n=")[2]) for path in service.requests]
    assert sorted(frame["number"].to_list()) == sorted(numbers)
    seen = {int(path.rpartition("n=")[2]): times for path, times in service.answered_ns.items()}
    answered = frame.filter(pl.col("number").is_in(list(seen)))
    assert answered.height > 0
    for number, start_ns, end_ns in answered.select("number", "start_ns", "end_ns").iter_rows():
        arrived_ns, answered_ns = seen[number]
        assert start_ns <= arrived_ns < answered_ns <= end_ns


def opened(level: LevelMetrics) -> dict[str, CountMetrics]:
    assert level.steps is not None
    return {one.family: one for one in level.steps.counts if one.name == OPENED}


def test_a_run_of_requests_counts_connections_and_stores_no_secret_of_their_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service answers every third request with its headers, and says 500 with them."""
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    file = tmp_path / "shop.toml"
    with answering() as service:
        file.write_text(SCENARIO.replace("URL", service.url.replace("127.0.0.1", "localhost")))
        scenario = open_scenario(str(file), own_hosts=["localhost"])
        with Run(scenario, settings_in(tmp_path)) as run:
            folder = run.load()
        metrics = measure(folder)
        check_account(pl.read_parquet(folder.records), service)

    (level,) = metrics.levels
    assert {one.family: one.error_ratio for one in level.families} == {
        "kept": 0.0,
        "new": 0.0,
        "told": 1.0,
    }
    assert level.error_classes["workflow_error"] == level.outcomes["error"]
    assert level.steps is not None
    (failed,) = (one for one in level.steps.counts if one.name == f"{FAILED} 500")
    assert (failed.family, failed.per_workflow) == ("told", 1)
    assert opened(level)["new"].per_workflow == 1
    assert opened(level)["kept"].total + opened(level)["told"].total <= level.concurrency
    assert metrics.manifest.own_hosts == ("localhost",)
    stored = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert [path.name for path, content in stored.items() if TOKEN.encode() in content] == []
    assert any(b"Authorization: Bearer ***" in content for content in stored.values())


def test_requests_at_a_rate_arrive_when_the_plan_says_and_all_are_answered(tmp_path: Path) -> None:
    arrivals = Arrivals("rate", "constant", rate_per_s=50.0, duration_s=0.5, slots=4)
    phases = Phases(ramp_up_s=0.0, warm_up_s=0.0, drain_s=5.0)
    with answering() as service:
        request = HttpRequest(f"{service.url}/parts?n={{number}}", expect_text="number {number};")
        level = open_level(request, arrivals, phases, seed=1, target="http")
        level.play(tmp_path)
        check_account(level.records(tmp_path).frame, service)
    metrics = level.metrics(tmp_path)

    assert metrics.outcomes["ok"] == len(service.requests) == 26  # the cold start is one
    assert opened(metrics)["request"].total <= 4


def test_each_way_to_give_no_answer_is_its_error_and_is_over_at_its_limit(tmp_path: Path) -> None:
    """16 arrivals, 8 ways twice; the limit is 1 s, and what stalls would end after 30 s."""
    connection, timeout = ErrorClass.CONNECTION, ErrorClass.TIMEOUT
    expected = {
        "parts": ErrorClass.NONE,
        "long": ErrorClass.NONE,
        **dict.fromkeys(("reset", "torn", "cut", "garbage"), connection),
        **dict.fromkeys(("stall", "slow"), timeout),
    }
    arrivals = Arrivals("rate", "constant", rate_per_s=80.0, duration_s=0.2, slots=8)
    phases = Phases(ramp_up_s=0.0, warm_up_s=0.0, drain_s=20.0)
    with answering() as service:
        url = f"{service.url}/ways?n={{number}}"
        request = HttpRequest(url, expect_text="number {number};", timeout_s=1.0)
        level = open_level(request, arrivals, phases, seed=1, target="http")
        level.play(tmp_path)
        frame = level.records(tmp_path).frame
        check_account(frame, service)
    found = {
        number: (Outcome(outcome), ErrorClass(error_class))
        for number, outcome, error_class in frame.select(
            "number", "outcome", "error_class"
        ).iter_rows()
        if number >= 0
    }
    classes = [expected[WAYS[number % len(WAYS)]] for number in range(16)]
    assert found == {
        number: (Outcome.ERROR if one else Outcome.OK, one) for number, one in enumerate(classes)
    }
    late_ns = frame.filter(pl.col("error_class") == int(timeout)).select(
        pl.col("end_ns") - pl.col("start_ns")
    )
    assert late_ns.min().item() >= 1_000_000_000
    assert late_ns.max().item() < 15_000_000_000
