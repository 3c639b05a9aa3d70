"""Logs of real runs in a real OpenSearch: each line once, whatever dies meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.logs.log import Log, LogContext
from perf_pipeline.logs.stored import LogTail, log_files
from perf_pipeline.logs.trace import trace_id
from perf_pipeline.monitoring.shipping.store import Store
from perf_pipeline.scenario_run import run_scenario
from tests.docker.log_store.opensearch import OpenSearch
from tests.integration.conftest import settings_in
from tests.sandbox import SLOTS_SCENARIO, until

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = "logs-loadtest.*"
PATIENCE_S = 90.0


@pytest.fixture(scope="module")
def node() -> Iterator[OpenSearch]:
    """One node for all tests here; in a folder that its user may reach."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="opensearch-") as folder:
        Path(folder).chmod(0o755)
        one = OpenSearch(Path(folder) / "home", port)
        try:
            one.start()
            yield one
        finally:
            one.stop()


@pytest.fixture
def store(node: OpenSearch) -> Store:
    """The node, without logs."""
    found = Store(node.url)
    found.request("DELETE", f"/_data_stream/{ALL}")
    return found


def search(store: Store, query: dict[str, Any], size: int = 0) -> dict[str, Any]:
    store.request("POST", f"/{ALL}/_refresh")
    body = json.dumps({"query": query, "size": size, "track_total_hits": True}).encode()
    answer = store.request("POST", f"/{ALL}/_search", body)
    assert answer.status == 200, answer.body
    hits: dict[str, Any] = answer.body["hits"]
    return hits


def count(store: Store, **terms: str) -> int:
    """Count documents by exact values of fields, ``__`` in the place of a dot."""
    wanted = [{"term": {name.replace("__", "."): value}} for name, value in terms.items()]
    total: int = search(store, {"bool": {"filter": wanted}})["total"]["value"]
    return total


def shipper(results: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "perf_pipeline.cli", "ship-logs", "--results", str(results)]
    return subprocess.Popen(
        [*command, *arguments],
        cwd=PROJECT,
        env={**os.environ, "PERF_PIPELINE_LOGS_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def shipped(results: Path, url: str, *arguments: str) -> dict[str, Any]:
    process = shipper(results, url, "--once", "--json", *arguments)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out + err
    answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    return answer


def write_run(results: Path, run: str, lines: int) -> None:
    """Write a log of a run in one process."""
    (results / run).mkdir(parents=True, exist_ok=True)
    names = {"run_id": run, "scenario": "baseline"}
    log = Log("run", LogContext(str(results / run / "logs"), "0.1.0", trace_id(run), names)).open()
    for number in range(lines):
        log.write("info", "notice", f"line {number}", step=number)
    log.close()


def test_the_logs_of_a_real_run_are_found_by_their_ids(
    store: Store, node: OpenSearch, tmp_path: Path
) -> None:
    """As many documents as lines, in the streams of their datasets, with the template's types."""
    scenario = tmp_path / "slots.toml"
    scenario.write_text(SLOTS_SCENARIO)
    settings = settings_in(tmp_path)
    finished = run_scenario(open_scenario(str(scenario), read_machine_limits()), settings)
    run_id = finished.folder.name
    done = shipped(settings.results_dir, node.url, "--setup")
    files = [LogTail(path) for path in log_files(finished.folder / "logs")]
    lines = [line for tail in files for line in tail.new_lines()]
    assert {tail.path.stem for tail in files} >= {"run", "measure", "00-4-operations"}
    assert count(store, labels__run_id=run_id) == len(lines) > 50
    assert (done["rejected"], done["damaged"], done["missing"]) == (0, 0, 0)
    assert count(store, trace__id=trace_id(run_id)) == len(lines)
    for dataset in ("loadtest.run", "loadtest.op", "loadtest.verdict"):
        expected = sum(line.document["event.dataset"] == dataset for line in lines)
        assert count(store, event__dataset=dataset) >= expected > 0
    (worker,) = [tail for tail in files if tail.path.stem == "00-4-worker-0"]
    assert worker.completeness.lines == 4  # none of them is of a workflow
    operation = next(line for line in lines if line.document["event.dataset"] == "loadtest.op")
    (hit,) = search(store, {"term": {"span.id": operation.document["span.id"]}}, 10)["hits"]
    assert hit["_source"] == operation.document
    mapping = store.request("GET", "/logs-loadtest.op-default/_mapping").body
    (fields,) = [one["mappings"]["properties"] for one in mapping.values()]
    assert fields["@timestamp"]["type"] == "date_nanos"
    assert fields["labels"]["properties"]["run_id"]["type"] == "keyword"
    assert fields["loadtest"]["properties"]["service_time_ns"]["type"] == "long"
    later = shipped(settings.results_dir, node.url)
    assert later["known"] == 0
    assert count(store, labels__run_id=run_id) == len(lines)


def test_a_shipper_that_is_killed_again_and_again_loses_and_doubles_nothing(
    store: Store, node: OpenSearch, tmp_path: Path
) -> None:
    """Killed at random moments, six times; the last one sends the rest."""
    lines, rng = 12_000, random.Random(7)
    write_run(tmp_path, "r-1", lines)
    shipped(tmp_path / "empty", node.url, "--setup")
    seen = []
    for _ in range(6):
        process = shipper(tmp_path, node.url)
        before = count(store, labels__run_id="r-1")
        until(lambda seen=before: count(store, labels__run_id="r-1") > seen, PATIENCE_S)  # type: ignore[misc]
        time.sleep(rng.uniform(0.0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        seen.append(count(store, labels__run_id="r-1"))
        if seen[-1] == lines:
            break
    assert 0 < seen[0] < lines
    done = shipped(tmp_path, node.url)
    assert done["rejected"] == 0
    assert count(store, labels__run_id="r-1") == lines
    for number in (0, lines // 2, lines - 1):
        assert count(store, labels__run_id="r-1", event__sequence=str(number)) == 1


def test_a_store_that_was_down_gets_what_was_logged_meanwhile(
    store: Store, node: OpenSearch, tmp_path: Path
) -> None:
    shipped(tmp_path / "empty", node.url, "--setup")
    write_run(tmp_path, "r-2", 100)
    process = shipper(tmp_path, node.url)
    try:
        until(lambda: count(store, labels__run_id="r-2") == 100, PATIENCE_S)
        node.stop()
        write_run(tmp_path, "r-2", 250)
        time.sleep(3.0)  # so that it has tried, and has to wait
        assert process.poll() is None
        node.start()
        until(lambda: count(store, labels__run_id="r-2") == 350, PATIENCE_S)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert "cannot be reached" in out + err
    assert count(store, labels__run_id="r-2") == 350
