"""Each line is stored once, whatever happens: a store that is down, busy, or answers and is lost.

The store here is a double on loopback that checks the form of ``_bulk`` and keeps documents by id;
``tests/integration/logs`` does the same with a real OpenSearch.
"""

from __future__ import annotations

import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import PerfPipelineError, ServiceUnavailableError
from perf_pipeline.logs.log import Log, LogContext
from perf_pipeline.monitoring.shipping.positions import Positions, only_shipper
from perf_pipeline.monitoring.shipping.setup import set_up_kibana, set_up_store
from perf_pipeline.monitoring.shipping.shipper import Shipper
from perf_pipeline.monitoring.shipping.store import Store, StoreError
from perf_pipeline.monitoring.shipping.store_wait import StoreWait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class StoreDouble(ThreadingHTTPServer):
    """Keeps what is created; answers requests with what ``plan`` says next."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.plan: list[str] = []
        self.put: dict[str, Any] = {}
        self.imported: list[dict[str, Any]] = []
        self.seen_login: set[str] = set()
        self.version: dict[str, Any] = {"number": "8.15.0"}

    @property
    def url(self) -> str:
        return f"http://elastic:canary-word-9@127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: StoreDouble

    def do_GET(self) -> None:
        self._answer(200, {"version": self.server.version})

    def do_PUT(self) -> None:
        self.server.put[self.path] = json.loads(self._body())
        self._answer(200, {"acknowledged": True})

    def do_POST(self) -> None:
        body = self._body()
        self.server.seen_login.add(self.headers.get("Authorization", ""))
        if self.path.startswith("/api/saved_objects/_import"):
            assert self.headers["kbn-xsrf"]
            lines = body.split(b"\r\n\r\n", 1)[1].split(b"\r\n")[0].splitlines()
            self.server.imported = [json.loads(one) for one in lines]
            self._answer(200, {"success": True, "successCount": len(lines)})
            return
        assert self.headers["Content-Type"] == "application/x-ndjson"
        assert body.endswith(b"\n")
        step = self.server.plan.pop(0) if self.server.plan else "store"
        if step.isdecimal():
            self._answer(int(step), {"error": "planned"})
            return
        lines = [json.loads(one) for one in body.splitlines()]
        items = [
            self._create(action["create"], document, step)
            for action, document in zip(lines[::2], lines[1::2], strict=True)
        ]
        if step == "store, then hang up":
            self.close_connection = True
            return
        self._answer(200, {"errors": True, "items": [{"create": one} for one in items]})

    def _create(
        self, action: dict[str, str], document: dict[str, Any], step: str
    ) -> dict[str, Any]:
        key = action["_index"], action["_id"]
        if step == "reject odd" and document["event.sequence"] % 2:
            return {"status": 400, "error": {"type": "document_parsing_exception"}}
        if step == "busy odd" and document["event.sequence"] % 2:
            return {"status": 429, "error": {"type": "es_rejected_execution_exception"}}
        if key in self.server.documents:
            return {"status": 409, "error": {"type": "version_conflict_engine_exception"}}
        self.server.documents[key] = document
        return {"status": 201}

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def double() -> Iterator[StoreDouble]:
    server = StoreDouble()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two runs of 40 lines in two files each."""
    for run in ("run-1", "run-2"):
        for process in ("run", "00-5-worker-0"):
            write_lines(tmp_path, run, process, 20)
    return tmp_path


def write_lines(results: Path, run: str, process: str, count: int) -> None:
    (results / run).mkdir(exist_ok=True)
    context = LogContext(str(results / run / "logs"), labels={"run_id": run})
    log = Log(process, context).open()
    for number in range(count):
        log.write("info", "notice", f"line {number}", dataset="op" if number % 2 else "run")
    log.close()


def state_of(results: Path) -> Path:
    """The folder of servers that outlive runs; it is outside of the results folder."""
    return results.with_name(f"{results.name}-state")


def shipper(
    results: Path, url: str, waits: list[float] | None = None, limit_s: float | None = None
) -> Shipper:
    positions = Positions(results / ".logs" / "shipped.json")
    (results / ".logs").mkdir(exist_ok=True)
    store, slept = Store(url, timeout_s=5.0), waits if waits is not None else []
    wait = StoreWait(store.shown, limit_s, clock_s=lambda: sum(slept), sleep=slept.append)
    return Shipper(results, state_of(results), store, positions, wait, rng=random.Random(1))


def test_every_line_is_stored_once_in_the_stream_of_its_dataset(
    results: Path, double: StoreDouble
) -> None:
    first = shipper(results, double.url)
    assert first.round() == 80
    assert (first.total.stored, first.total.known, len(double.documents)) == (80, 0, 80)
    streams = {index for index, _ in double.documents}
    assert streams == {"logs-loadtest.op-default", "logs-loadtest.run-default"}
    assert shipper(results, double.url).round() == 0
    write_lines(results, "run-2", "run", 3)
    assert first.round() == 3
    assert len(double.documents) == 83
    assert double.seen_login == {"Basic ZWxhc3RpYzpjYW5hcnktd29yZC05"}


def test_what_servers_without_a_run_logged_is_shipped_once_as_well(
    results: Path, double: StoreDouble
) -> None:
    first = shipper(results, double.url)
    first.round()
    state_of(results).mkdir()
    log = Log("start").open(LogContext(str(state_of(results) / ".logs")))
    log.write("info", "server-runs", "it answers")
    log.close()
    assert (first.round(), shipper(results, double.url).round()) == (1, 0)


def test_a_store_that_is_busy_is_waited_for_longer_each_time(
    results: Path, double: StoreDouble
) -> None:
    double.plan = ["429", "503", "502", "429"]
    waits: list[float] = []
    one = shipper(results, double.url, waits)
    one.round()
    assert len(double.documents) == 80
    assert one.total.retries == len(waits) == 4
    assert waits == sorted(waits)
    assert 0.25 <= waits[0] <= 0.5
    assert 2.0 <= waits[3] <= 4.0


def test_a_store_that_stays_away_is_waited_for_no_longer_than_the_limit(
    results: Path, double: StoreDouble
) -> None:
    """The sentence names store, time and what to do; the next shipper sends the rest."""
    double.plan = ["503"] * 100
    waits: list[float] = []
    with pytest.raises(ServiceUnavailableError) as raised:
        shipper(results, double.url, waits, limit_s=60.0).round()
    assert sum(waits) == pytest.approx(60.0)
    said = str(raised.value)
    assert f"http://127.0.0.1:{double.server_port} took nothing for 60 s (limit: 60 s)" in said
    assert "PERF_PIPELINE_LOGS_URL" in said
    assert "canary-word-9" not in said
    double.plan.clear()
    shipper(results, double.url).round()
    assert len(double.documents) == 80


def test_a_store_that_takes_a_part_each_time_is_not_given_up(
    results: Path, double: StoreDouble
) -> None:
    """Four files, each busy for 45 of the 60 seconds that the limit is."""
    double.plan = ["503", "503", "503", "503", "503", "503", "store"] * 4
    waits: list[float] = []
    shipper(results, double.url, waits, limit_s=60.0).round()
    assert sum(waits) > 60.0
    assert len(double.documents) == 80


def test_lines_that_the_store_has_no_room_for_are_sent_again_and_the_others_not(
    results: Path, double: StoreDouble
) -> None:
    double.plan = ["busy odd"]
    one = shipper(results, double.url)
    one.round()
    assert (one.total.stored, one.total.known, one.total.retries) == (80, 0, 1)


def test_lines_that_were_stored_without_an_answer_are_not_doubled(
    results: Path, double: StoreDouble
) -> None:
    double.plan = ["store, then hang up"]
    one = shipper(results, double.url)
    one.round()
    assert (one.total.stored, one.total.known, len(double.documents)) == (60, 20, 80)


def test_a_shipper_that_was_killed_before_its_note_doubles_nothing(
    results: Path, double: StoreDouble
) -> None:
    shipper(results, double.url).round()
    (results / ".logs" / "shipped.json").unlink()
    again = shipper(results, double.url)
    again.round()
    assert (again.total.stored, again.total.known, len(double.documents)) == (0, 80, 80)


def test_lines_that_are_refused_for_good_are_counted_and_hold_up_nothing(
    results: Path, double: StoreDouble
) -> None:
    double.plan = ["reject odd"]
    one = shipper(results, double.url)
    one.round()
    assert (one.total.stored, one.total.rejected) == (70, 10)
    assert "document_parsing_exception" in one.total.reason


def test_a_batch_that_is_too_large_is_halved(results: Path, double: StoreDouble) -> None:
    double.plan = ["413", "store", "413"]
    one = shipper(results, double.url)
    one.round()
    assert one.total.stored == len(double.documents) == 80


def test_a_wrong_password_ends_the_shipper_with_a_sentence_without_it(
    results: Path, double: StoreDouble
) -> None:
    double.plan = ["401"]
    with pytest.raises(StoreError, match="refuses the logs with 401") as raised:
        shipper(results, double.url).round()
    assert "canary-word-9" not in str(raised.value)


def test_damaged_and_missing_lines_are_counted(results: Path, double: StoreDouble) -> None:
    path = results / "run-1" / "logs" / "run.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[5:7] = [b"{torn\n"]
    path.write_bytes(b"".join(lines))
    one = shipper(results, double.url)
    one.round()
    assert (one.total.damaged, one.total.missing, one.total.stored) == (1, 2, 78)


def test_two_shippers_to_one_store_are_refused(tmp_path: Path) -> None:
    path = tmp_path / ".logs" / "shipped.json"
    with only_shipper(path), pytest.raises(PerfPipelineError, match="another process"):
        only_shipper(path).__enter__()


def test_elasticsearch_gets_ilm_and_opensearch_a_template_that_it_takes(
    double: StoreDouble,
) -> None:
    """OpenSearch refuses a template with a setting of ILM, which it does not have."""
    store = Store(double.url)
    set_up_store(store, PROJECT / "infra")
    assert set(double.put) == {
        "/_ilm/policy/perf_pipeline-logs",
        "/_index_template/perf_pipeline-logs",
    }
    settings = double.put["/_index_template/perf_pipeline-logs"]["template"]["settings"]
    assert settings["index.lifecycle.name"] == "perf_pipeline-logs"
    double.put.clear()
    double.version = {"number": "2.19.6", "distribution": "opensearch"}
    done = set_up_store(store, PROJECT / "infra")
    assert set(double.put) == {
        "/_plugins/_ism/policies/perf_pipeline-logs",
        "/_index_template/perf_pipeline-logs",
    }
    settings = double.put["/_index_template/perf_pipeline-logs"]["template"]["settings"]
    assert "index.lifecycle.name" not in settings
    assert any("30 days" in sentence for sentence in done)


def test_kibana_gets_objects_whose_references_and_fields_exist(double: StoreDouble) -> None:
    """Every reference leads to an object, and every field that one names is in the template."""
    assert set_up_kibana(Store(double.url), PROJECT / "infra").startswith("Kibana has 9 ")
    known = {(one["type"], one["id"]) for one in double.imported}
    for one in double.imported:
        for reference in one["references"]:
            assert (reference["type"], reference["id"]) in known
    template = json.loads((PROJECT / "infra/elasticsearch/index_template.json").read_text())
    fields = set(_fields(template["template"]["mappings"]["properties"]))
    named = {name for one in double.imported for name in one["attributes"].get("columns", ())}
    assert len(named) > 10
    assert {name for name in named if not name.startswith("loadtest.")} <= fields
    assert {one["attributes"].get("timeFieldName") for one in double.imported} >= {"@timestamp"}


def _fields(properties: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in properties.items():
        if "properties" in value:
            yield from _fields(value["properties"], f"{before}{name}.")
        else:
            yield before + name
