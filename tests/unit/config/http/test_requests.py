"""[[requests]] of a scenario: what they say, and all that is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.http.addresses import addresses_of, is_own_address
from perf_pipeline.config.http.host_checks import check_hosts
from perf_pipeline.config.http.http_request import HttpRequest
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.errors import ScenarioError
from perf_pipeline.redaction.redact import redacted

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

HEAD = 'target = "http"\nconcurrency = [4]\n'
SESSION = {"SHOP_TOKEN": "t0p-secret", "TWO_LINES": "one\ntwo"}
PUBLIC = "192.0.2.7"
"""An address of the documentation's network: neither loopback nor private, and nobody's."""


def read(text: str, machine: MachineLimits, **given: Any) -> Scenario:
    return parse_scenario(HEAD + text, "shop", machine, Overrides(**given), session=SESSION)


def problems(text: str, machine: MachineLimits, **given: Any) -> list[str]:
    with pytest.raises(ScenarioError) as refused:
        read(text, machine, **given)
    return refused.value.problems


def test_a_table_says_what_is_sent_and_what_is_right(machine: MachineLimits) -> None:
    text = """
    [[requests]]
    name = "order"
    url = "http://127.0.0.1:8000/orders?n={number}"
    method = "POST"
    headers = { Authorization = "Bearer ${SHOP_TOKEN}", Accept = "application/json" }
    body = '''{"seed": {seed},
    "number": {number}}'''
    expect_status = 201
    expect_text = "{number}"
    expect_json = { stored = true }
    connection = "new"
    timeout_s = 2
    weight = 3
    [environment]
    pass = ["SHOP_TOKEN"]
    """
    (found,) = read(text, machine).workloads
    assert found == Workload(
        "order",
        "",
        3.0,
        request=HttpRequest(
            url="http://127.0.0.1:8000/orders?n={number}",
            method="POST",
            headers=(("Authorization", "Bearer ${SHOP_TOKEN}"), ("Accept", "application/json")),
            body='{"seed": {seed},\n    "number": {number}}',
            expect_status=201,
            expect_text="{number}",
            expect_json='{"stored": true}',
            connection="new",
            timeout_s=2.0,
        ),
    )
    assert "t0p-secret" not in json.dumps(asdict(found))


def test_all_problems_of_all_requests_are_reported_at_once(machine: MachineLimits) -> None:
    text = """
    [[requests]]
    name = "home"
    url = "ftp://127.0.0.1/"
    metod = "GET"
    [[requests]]
    name = "home"
    url = "http://me:pa55word@127.0.0.1/{nmber}#top"
    method = "FETCH"
    connection = "keep-alive"
    expect_status = 99
    expect_json = { since = 2026-01-01 }
    timeout_s = 0
    [requests.headers]
    Authorization = "Bearer literal-s3cret"
    X-Api-Key = "${SHOP_TOKN}"
    X-Lines = "${TWO_LINES}"
    Connection = "close"
    "bad name" = "x"
    X-Number = 3
    [[requests]]
    url = "http://127.0.0.1/"
    [environment]
    pass = ["SHOP_TOKEN", "TWO_LINES"]
    """
    found = problems(text, machine)
    together = "\n".join(found)
    for part in (
        "requests[1].url is no URL of a web server",
        'requests[1].metod is unknown; did you mean "method"?',
        'requests[2].name is "home" for the second time',
        "requests[2].url holds a user, which every log would repeat",
        "requests[2].url holds {nmber}; placeholders are {number} or {seed}",
        "requests[2].url has a fragment",
        'requests[2].method is "FETCH"; allowed is "GET", "HEAD"',
        'requests[2].connection is "keep-alive"; allowed is "keep_alive" or "new"',
        "requests[2].expect_status is 99; allowed is an integer from 100 to 599",
        "requests[2].expect_json holds a date",
        "requests[2].timeout_s is 0",
        "requests[2].headers.Authorization holds a secret in the file",
        'requests[2].headers.X-Api-Key names "SHOP_TOKN", which [environment] does not pass',
        "requests[2].headers.X-Lines names TWO_LINES, whose value in this session holds a line",
        "requests[2].headers.Connection may not be given",
        "requests[2].headers.bad name is no name of a header",
        "requests[2].headers.X-Number is an int; a value is a text",
        "requests[3].name is missing",
    ):
        assert part in together, (part, found)
    for secret in ("pa55word", "literal-s3cret", "t0p-secret", "two"):
        assert secret not in together.replace("two-", "").replace("TWO_LINES", "")


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ('Cookie = "session=s3cret"', "holds a secret in the file"),
        ('Proxy-Authorization = "Basic s3cret"', "holds a secret in the file"),
        ('X-Api-Key = "s3cret"', "holds a secret in the file"),
        ('X-Token = "${TWO_LINES}"', "which [environment] does not pass"),
        ('Accept = "a"\nACCEPT = "s3cret"', "is given as Accept as well"),
        ('Content-Length = "1"', "may not be given"),
        ('Transfer-Encoding = "chunked"', "may not be given"),
        ('X-Name = "s3cret \N{EURO SIGN}"', "a letter outside of Latin-1"),
        ('X-Name = "s3cret\\nX-Other: 1"', "a line break"),
    ],
)
def test_a_header_that_leaks_a_secret_or_breaks_the_request_is_refused(
    machine: MachineLimits, header: str, part: str
) -> None:
    """No message holds the value."""
    text = '[[requests]]\nname = "home"\nurl = "http://127.0.0.1/"\n[requests.headers]\n'
    (found,) = problems(f"{text}{header}\n", machine)
    assert part in found
    assert "s3cret" not in found


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ('url = "http://127.0.0.1/${SHOP_TOKEN}"', "only values of headers name variables"),
        ('url = "http://shop-{number}.test/"', "has a placeholder in its host"),
        ('url = "http://127.0.0.1/a b"', "has a blank"),
        ('url = "http://127.0.0.1/"\nbody = "{nmber}"', "body holds {nmber}"),
        ('url = "http://127.0.0.1/"\nexpect_text = "{sed}"', "expect_text holds {sed}"),
    ],
)
def test_a_template_that_would_not_be_filled_in_is_refused(
    machine: MachineLimits, key: str, part: str
) -> None:
    found = problems(f'[[requests]]\nname = "home"\n{key}\n', machine)
    assert part in found[0]


def test_every_address_of_a_name_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", (address, 0)) for address in ("10.0.0.1", PUBLIC, "10.0.0.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_arguments, **_options: found)
    assert addresses_of("both.test") == ("10.0.0.1", PUBLIC)


def test_a_known_server_fills_in_what_the_table_does_not_say(machine: MachineLimits) -> None:
    text = """
    [[requests]]
    name = "short"
    server = "kailash"
    url = "http://127.0.0.1:8000"
    body = '{"inputs": {}}'
    [[requests]]
    name = "long"
    server = "kailash"
    url = "http://127.0.0.1:8000/workflows/mine/execute"
    method = "PUT"
    headers = { content-type = "text/plain" }
    expect_json = { outputs = { a = 1 } }
    [[requests]]
    name = "other"
    url = "http://127.0.0.1:8000"
    """
    short, long, other = (one.request for one in read(text, machine).workloads)
    assert short == HttpRequest(
        "http://127.0.0.1:8000/execute",
        "POST",
        (("Content-Type", "application/json"),),
        '{"inputs": {}}',
        expect_json='{"outputs": {}}',
    )
    assert long == HttpRequest(
        "http://127.0.0.1:8000/workflows/mine/execute",
        "PUT",
        (("content-type", "text/plain"),),
        expect_json='{"outputs": {"a": 1}}',
    )
    assert other == HttpRequest("http://127.0.0.1:8000")
    (refused,) = problems(text.replace('"kailash"', '"kailas"', 1), machine)
    assert 'requests[1].server is "kailas"; allowed is "kailash"' in refused


def test_requests_and_the_target_that_sends_them_belong_together(machine: MachineLimits) -> None:
    request = '[[requests]]\nname = "home"\nurl = "http://127.0.0.1/"\n'
    workload = '[[workload]]\nfamily = "transformation"\ncomplexity = "simple"\n'
    assert problems("", machine) == [
        "shop.toml: requests is missing; give at least one [[requests]] with name and url."
    ]
    (beside,) = problems(request + workload, machine)
    assert "requests are given beside [[workload]]; give one of the two." in beside
    (families,) = problems(workload, machine)
    assert 'target is "http", which sends requests; give [[requests]] in place' in families
    (other,) = problems(request, machine, target="control")
    assert other == '--target is "control", which plays families; [[requests]] need "http".'
    (complexity,) = problems(request, machine, complexity="simple")
    assert complexity == "--complexity is given, but requests have no complexity; leave it out."


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("10.1.2.3", True),
        ("172.31.255.255", True),
        ("192.168.0.1", True),
        ("::1", True),
        ("fd12::1", True),
        ("::ffff:127.0.0.1", True),
        ("172.32.0.1", False),
        ("169.254.169.254", False),  # hands out credentials in clouds
        ("fe80::1%eth0", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound
        ("8.8.8.8", False),
        ("::ffff:8.8.8.8", False),
        ("2001:db8::1", False),
        (PUBLIC, False),
    ],
)
def test_loopback_and_private_addresses_are_one_s_own(address: str, *, is_own: bool) -> None:
    assert is_own_address(address) is is_own


def test_every_address_of_a_host_must_be_one_s_own() -> None:
    """A name with one private and one foreign address is refused, unless its owner says so."""
    names = {"both.test": ("10.0.0.1", PUBLIC), "own.test": ("10.0.0.1",), "gone.test": ()}

    def resolve(host: str) -> tuple[str, ...]:
        if not names[host]:
            raise OSError(-2, "Name or service not known")
        return names[host]

    def refused(*own: str) -> list[str]:
        requests = (HttpRequest(f"http://{host}/") for host in names)
        workloads = tuple(Workload(one.host, "", request=one) for one in requests)
        found = Problems("shop.toml")
        check_hosts(Scenario("shop", workloads=workloads, own_hosts=own), found, resolve)
        return found.sentences()

    both, gone = refused()
    assert f'requests[1].url names the host "both.test" with the address {PUBLIC}' in both
    assert both.endswith("say so: --i-own-this-host both.test")
    assert 'host "gone.test", whose address cannot be found: name or service not known.' in gone
    assert refused("both.test", "GONE.test") == []
    assert refused("both.test") == [gone]
    (superfluous,) = refused("both.test", "gone.test", "other.test")
    assert '--i-own-this-host "other.test" is given, but no request goes there' in superfluous


def test_a_public_host_needs_the_flag_and_the_request_then_knows_it(machine: MachineLimits) -> None:
    text = f'[[requests]]\nname = "home"\nurl = "http://{PUBLIC}/"\n'
    (refused,) = problems(text, machine)
    assert refused.endswith(f"--i-own-this-host {PUBLIC}")
    (workload,) = read(text, machine, own_hosts=(PUBLIC,)).workloads
    assert workload.request is not None
    assert workload.request.is_own_host
    two = f'{text}[[requests]]\nname = "near"\nurl = "http://127.0.0.1/"\n'
    both = [one.request for one in read(two, machine, own_hosts=(PUBLIC,)).workloads]
    assert [one and one.is_own_host for one in both] == [True, False]
    (not_the_file,) = problems(f'own_hosts = ["{PUBLIC}"]\n{text}', machine, own_hosts=(PUBLIC,))
    assert "own_hosts is unknown" in not_the_file


def test_a_name_in_braces_in_a_url_is_a_placeholder_or_a_mistake(machine: MachineLimits) -> None:
    """Sent as it is, every answer would be a 404; in a body such braces are JSON's."""
    (told,) = problems(
        '[[requests]]\nname = "a"\nurl = "http://127.0.0.1/{n}"\nbody = "{n}"\n', machine
    )
    assert "requests[1].url holds {n}; placeholders are {number} or {seed}" in told


def test_advice_on_a_user_in_a_url_is_not_taken_for_a_secret(machine: MachineLimits) -> None:
    url = "http://me:pass@127.0.0.1/"
    (told,) = problems(f'[[requests]]\nname = "a"\nurl = "{url}"\n', machine)
    assert 'the header Authorization with the value "Basic ${NAME}"' in redacted(told)


@pytest.mark.parametrize("text", ["memory < 1GB", "cpu_percent < 50"])
def test_no_objective_is_met_by_what_sends_the_requests(machine: MachineLimits, text: str) -> None:
    """It would be judged by the senders' memory, and any server would meet it."""
    request = '[[requests]]\nname = "a"\nurl = "http://127.0.0.1/"\n'
    (told,) = problems(f'slo = ["{text}"]\n{request}', machine)
    assert "of the processes that send the requests and not of the server" in told
    assert problems(request, machine, slos=(text,))[0].startswith("--slo")
