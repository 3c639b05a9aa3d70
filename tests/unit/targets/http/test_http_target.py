"""The target http against a loopback service: what is sent, what is right, what has failed."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.http.http_request import HttpRequest
from perf_pipeline.samples.record import ErrorClass
from perf_pipeline.steps import StepBuffer, record_steps
from perf_pipeline.targets.http.adapter import FAILED, OPENED, classify, open_target
from perf_pipeline.targets.http.connections import ForeignAddressError
from perf_pipeline.targets.http.prepared_request import PreparedRequest
from perf_pipeline.targets.target import Job, Kind, ServerAccess, WrongResultError
from tests.integration.targets.certificates import make_certificates
from tests.unit.targets.http.answering import Answering, answering

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.config.http.http_request import Connection
    from perf_pipeline.targets.target import Slot

SEED = 11


def slot_of(*requests: HttpRequest, **settings: Any) -> Slot:
    kinds = tuple(Kind(f"r{at}", "", request=one) for at, one in enumerate(requests))
    job = Job(kinds, "", SEED, "run", 0, ServerAccess({}, 1, 1.0), settings=settings)
    return open_target(job).open_slot()


def error_of(request: HttpRequest, number: int = 5) -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - of any type: the caller looks
        slot_of(request).execute(0, number)
    return raised.value


@pytest.fixture(scope="module")
def service() -> Iterator[Answering]:
    with answering() as server:
        yield server


@contextmanager
def steps_recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[StepBuffer]:
    buffer = record_steps()
    try:
        yield buffer
    finally:
        monkeypatch.setattr("perf_pipeline.steps._buffer", None)


def counted(buffer: StepBuffer, name: str = OPENED) -> list[int]:
    """The values of a count, in the order of the requests."""
    index = buffer.names.index(name)
    words = [buffer.pending[at : at + 4] for at in range(0, len(buffer.pending), 4)]
    return [value for _, _, value, word in words if word & 0xFFFF == index]


def test_number_and_seed_are_filled_in_wherever_a_placeholder_stands(service: Answering) -> None:
    body = '{"n": {number}, "s": {seed}, "other": "{}"}'
    request = HttpRequest(
        f"{service.url}/echo?n={{number}}&s={{seed}}",
        method="POST",
        body=body,
        expect_text='"n": {number}, "s": {seed}',
        expect_json='{"s": 11}',
    )
    slot_of(request).execute(0, 42)
    assert service.requests[-1] == "/echo?n=42&s=11"


@pytest.mark.parametrize(
    ("path", "expected", "part"),
    [
        ("200", {"expect_status": 201}, "status 200, expected 201: 'ok'"),
        ("200", {"expect_status": 503}, "status 200, expected 503"),
        ("200", {"expect_text": "ok {number}"}, "lacks 'ok 5': 'ok'"),
        ("200", {"expect_json": "{}"}, "the answer is no JSON"),
        ("echo", {"body": '{"a": {"b": 1}}', "expect_json": '{"a": {"b": 2}}'}, ".a.b is not 2"),
        ("echo", {"body": '{"a": 1}', "expect_json": '{"a": true}'}, ".a is not true"),
        ("echo", {"body": "[]", "expect_json": "{}"}, "the answer is no object"),
        ("echo", {"body": "{}", "expect_json": '{"a": 1}'}, "the answer has no a"),
    ],
)
def test_an_answer_that_is_not_the_right_one_is_a_wrong_result(
    service: Answering, path: str, expected: dict[str, Any], part: str
) -> None:
    found = error_of(HttpRequest(f"{service.url}/{path}", method="POST", **expected))
    assert isinstance(found, WrongResultError)
    assert part in str(found)
    assert classify(found) is ErrorClass.WRONG_RESULT


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (400, ErrorClass.WORKFLOW_ERROR),
        (401, ErrorClass.WORKFLOW_ERROR),
        (408, ErrorClass.TIMEOUT),
        (429, ErrorClass.RESOURCE_EXHAUSTION),
        (500, ErrorClass.WORKFLOW_ERROR),
        (503, ErrorClass.RESOURCE_EXHAUSTION),
        (504, ErrorClass.TIMEOUT),
    ],
)
def test_a_status_that_says_that_the_server_failed_is_counted_and_is_its_class(
    service: Answering, monkeypatch: pytest.MonkeyPatch, status: int, error_class: ErrorClass
) -> None:
    with steps_recorded(monkeypatch) as buffer:
        found = error_of(HttpRequest(f"{service.url}/{status}"))
    assert str(found) == f"status {status}, expected 200: 'ok'"
    assert classify(found) is error_class
    assert counted(buffer, f"{FAILED} {status}") == [1]


def test_without_a_whole_answer_the_class_says_why(service: Answering) -> None:
    """Refused, too late, stalled or ended within the answer, reset, and no HTTP at all."""
    with socket.socket() as nobody:  # bound, and it does not listen
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        refused = error_of(HttpRequest(f"http://127.0.0.1:{port}/"))
    assert classify(refused) is ErrorClass.CONNECTION
    assert str(refused).startswith(f"127.0.0.1 port {port}: Failed to establish a new connection")
    for path in ("slow", "stall"):
        late = error_of(HttpRequest(f"{service.url}/{path}", timeout_s=0.05))
        assert classify(late) is ErrorClass.TIMEOUT, late
    for path in ("cut", "chunk", "garbage", "reset", "torn"):
        found = error_of(HttpRequest(f"{service.url}/{path}"))
        assert classify(found) is ErrorClass.CONNECTION, found
    with answering() as plain:
        no_tls = error_of(HttpRequest(plain.url.replace("http:", "https:")))
    assert classify(no_tls) is ErrorClass.CONNECTION, no_tls


def test_a_name_without_an_address_is_a_connection_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody(*_arguments: object, **_options: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", nobody)
    found = error_of(HttpRequest("http://nobody.test/"))
    assert classify(found) is ErrorClass.CONNECTION, found


def test_an_answer_that_comes_too_late_is_not_that_of_the_next_request() -> None:
    """It is sent when the next request is on its way; that has a longer limit of its own."""
    with answering() as server:
        late = HttpRequest(f"{server.url}/late?n={{number}}", timeout_s=0.05)
        whole = HttpRequest(f"{server.url}/parts?n={{number}}", expect_text="number {number};")
        slot = slot_of(late, whole)
        with pytest.raises(TimeoutError):
            slot.execute(0, 1)
        slot.execute(1, 2)
        assert server.connections == 2


def test_each_request_on_a_connection_has_its_own_limit(service: Answering) -> None:
    """The service closes the connection after 30 s, which would be another error."""
    slow = HttpRequest(f"{service.url}/slow", timeout_s=0.05)
    slot = slot_of(HttpRequest(f"{service.url}/200", timeout_s=60.0), slow)
    slot.execute(0, 1)
    with pytest.raises(TimeoutError):
        slot.execute(1, 2)


def test_a_slot_has_a_connection_to_each_server() -> None:
    with answering() as one, answering() as other:
        slot = slot_of(HttpRequest(f"{one.url}/200?one"), HttpRequest(f"{other.url}/200?other"))
        for number in range(4):
            slot.execute(number % 2, number)
        assert one.requests == ["/200?one"] * 2
        assert other.requests == ["/200?other"] * 2


def test_a_redirect_is_an_answer_and_is_not_followed(service: Answering) -> None:
    with answering() as other:
        request = HttpRequest(f"{service.url}/redirect?to={other.url}/", expect_status=302)
        slot_of(request).execute(0, 1)
        assert "status 302, expected 200" in str(
            error_of(HttpRequest(f"{service.url}/redirect?to={other.url}/"))
        )
        assert other.connections == 0


def test_kept_and_new_connections_are_told_apart_by_the_service_and_in_the_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten of each in turn: the service sees 1 + 10 connections, and the counts say which."""
    with answering() as server, steps_recorded(monkeypatch) as buffer:
        kept = HttpRequest(f"{server.url}/200")
        slot = slot_of(kept, HttpRequest(f"{server.url}/200", connection="new"))
        for number in range(20):
            slot.execute(number % 2, number)
        assert server.connections == 11
        assert counted(buffer) == [1, 1] + [0, 1] * 9


def test_a_connection_that_the_service_closed_is_opened_anew() -> None:
    with answering() as server:
        slot = slot_of(HttpRequest(f"{server.url}/once"))
        for number in range(3):
            slot.execute(0, number)
            # The end of the connection is on its way; the next request must not meet it halfway.
            connection = next(iter(slot._connections._connections.values()))  # type: ignore[attr-defined]
            connection.sock.settimeout(5)
            assert connection.sock.recv(1, socket.MSG_PEEK) == b""
        assert server.connections == 3


def test_no_request_is_sent_to_an_address_that_is_not_one_s_own(
    service: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name may lead elsewhere since the scenario was checked: here, nothing is one's own."""
    monkeypatch.setattr(
        "perf_pipeline.targets.http.connections.is_own_address", lambda _address: False
    )
    before = list(service.requests)
    found = error_of(HttpRequest(f"{service.url}/200"))
    assert isinstance(found, ForeignAddressError)
    assert "leads to 127.0.0.1" in str(found)
    assert service.requests == before
    slot_of(HttpRequest(f"{service.url}/200", is_own_host=True)).execute(0, 1)


@pytest.mark.parametrize(
    ("connection", "part"),
    [("keep_alive", "User-Agent: perf_pipeline"), ("new", "Connection: close")],
)
def test_the_service_sees_the_method_and_what_becomes_of_the_connection(
    service: Answering, connection: Connection, part: str
) -> None:
    for method in ("GET", "PUT"):
        for text in (f"{method} /headers HTTP/1.1", part):
            url = f"{service.url}/headers"
            request = HttpRequest(url, method, connection=connection, expect_text=text)
            slot_of(replace(request, expect_status=500)).execute(0, 1)


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_a_url_without_a_port_has_that_of_its_scheme(scheme: str, port: int) -> None:
    assert PreparedRequest("r", HttpRequest(f"{scheme}://localhost/"), SEED, {}).port == port


def test_a_header_carries_the_variable_and_a_missing_one_is_refused_by_name(
    service: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = (("X-Token", "Bearer ${SHOP_TOKEN}"),)
    request = HttpRequest(f"{service.url}/headers", headers=header, expect_status=500)
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    with pytest.raises(ValueError, match="r0: the header X-Token names SHOP_TOKEN, which is not"):
        slot_of(request)
    monkeypatch.setenv("SHOP_TOKEN", "canary\r\nX-Other: 1")
    with pytest.raises(ValueError, match="holds a line break") as refused:
        slot_of(request)
    assert "canary" not in str(refused.value)
    monkeypatch.setenv("SHOP_TOKEN", "canary")
    sent = HttpRequest(f"{service.url}/headers", headers=header, expect_status=500)
    slot_of(sent).execute(0, 1)
    wrong = error_of(HttpRequest(f"{service.url}/headers", headers=header))
    assert "X-Token: Bearer canary" in str(wrong)  # so the journal's redaction has work to do


def test_https_is_checked_by_the_authority_and_the_name(tmp_path: Path) -> None:
    made = make_certificates(tmp_path / "certificates")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made["server.pem"], made["server.key"])
    with answering(context) as server:
        named = HttpRequest(f"https://localhost:{server.server_port}/200")
        slot_of(named, ca_file=made["ca.pem"]).execute(0, 1)
        numbered = HttpRequest(f"https://127.0.0.1:{server.server_port}/200")
        for request, authority in ((named, "other-ca.pem"), (numbered, "ca.pem")):
            with pytest.raises(ssl.SSLError):
                slot_of(request, ca_file=made[authority]).execute(0, 1)
