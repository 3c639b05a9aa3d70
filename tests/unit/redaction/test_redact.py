"""Texts without passwords, whoever wrote them."""

from __future__ import annotations

import base64
import html
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from perf_pipeline.redaction.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = (
    "CANARYplain7x9",
    "CANARY with blank",
    "CANARY#hash/slash?mark",
    "CANARY\"quote's",
    "CANARY@at:colon%percent",
    "CANARYümlaut€",
    "CANARY\\backslash&amp",
)


def knowing(*urls: str) -> Redactor:
    redactor = Redactor()
    for url in urls:
        redactor.remember_url(url)
    return redactor


def url_of(secret: str, scheme: str = "postgresql") -> str:
    return f"{scheme}://user:{quote(secret, safe='')}@10.0.0.7:5432/shop?sslmode=require"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "spelled",
    [
        str,
        repr,
        json.dumps,
        ascii,
        lambda s: json.dumps(s, ensure_ascii=False),
        lambda s: json.dumps(json.dumps({"url": s})),
        lambda s: repr(s.encode()),
        lambda s: quote(s, safe=""),
        quote,
        lambda s: quote(s, safe="").lower().replace("canary", "CANARY"),
        html.escape,
        url_of,
        lambda s: base64.b64encode(s.encode()).decode(),
        lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
        lambda s: base64.urlsafe_b64encode(f"us:{s}@".encode()).decode(),
    ],
)
def test_a_known_password_is_removed_however_it_is_spelled(
    secret: str, spelled: Callable[[str], str]
) -> None:
    text = f"connecting with {spelled(secret)} failed"

    shown = knowing(url_of(secret)).text(text)

    assert "***" in shown
    assert "CANARY" not in shown
    assert base64.b64encode(secret.encode()).decode()[:10] not in shown


@pytest.mark.parametrize("stop", "#/?")
@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "redis", "mongodb"])
def test_the_pieces_of_a_password_that_was_not_escaped_are_removed(stop: str, scheme: str) -> None:
    """Urlsplit ends the authority at the stop and quotes what is before it as a port."""
    url = f"{scheme}://user:CANARYone{stop}CANARYtwo@10.0.0.7/5"
    with pytest.raises(ValueError, match="CANARYone") as refused:
        _ = urlsplit(url).port

    shown = knowing(url).text(f"{refused.value}; {url}; CANARYtwo")

    assert "CANARY" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "connection to postgresql://shop:CANARY1@db.example/shop failed",
        "redis://:CANARY1@10.0.0.7:6379/0 refused",
        "mongodb://a:CANARY@1@h1,h2/db?replicaSet=rs0",
        "mysql://shop:CANARY",
        "could not parse 'mysql://shop:CANARY'",
        "host=db user=shop password=CANARY1 dbname=shop",
        "host=db password='CANARY 1' dbname=shop",
        "{'user': 'shop', 'password': 'CANARY1'}",
        '{"user": "shop", "password": "CANARY\\"1"}',
        '{"detail": "{\\"password\\": \\"CANARY1\\"}"}',
        "mongodb://h/db?authMechanismProperties=x&tlsCertificateKeyFilePassword=CANARY1",
        "PGPASSWORD=CANARY1 psql",
        'invalid percent-encoded token: "CANARY%zz"',
        "Port could not be cast to integer value as 'CANARY'",
        "ALTER USER shop IDENTIFIED BY 'CANARY1'",
        "CREATE ROLE shop LOGIN PASSWORD 'CANARY1'",
        "connect(passwd=b'CANARY1')",
        '{\\"password\\": \\"CANARY1\\"}',
        "rediss://CANARY1@h:1/0 refused",
        "headers: {'Authorization': 'Bearer CANARY1'}",
        "Authorization: Basic CANARY1",
        "[(b'Authorization', b'Bearer CANARY1')]",
        'Authorization: Digest username="shop", response="CANARY1"',
        "curl -H 'Authorization: Token CANARY1' http://h",
        "refused: Bearer CANARY.abc-123",
        "token=CANARYabc",
        "http://h/x?refresh_token=CANARY1&page=2",
        '{"token": "CANARYabc"}',
        "api_key=CANARY1 and X-Api-Key: CANARY2",
        "Cookie: session=CANARY1; theme=CANARY2",
        "<password>CANARY1</password>",
        "[('user', 'shop'), ('password', 'CANARY1')]",
        "could not parse password='CANARY1",
        "pass=CANARY1",
        "Command '['mysql', '-u', 'shop', '-pCANARY1', 'db']' returned non-zero exit status 1.",
        "sh: mysqldump -ushop -pCANARY1 db > x",
        "/usr/bin/mariadb -u shop -p'CANARY 1' db",
        "mysql --password CANARY1 db",
        "redis-cli -h db -a CANARY1 ping",
        "Command '['redis-cli', '-a', 'CANARY1']' returned non-zero exit status 1.",
        "redis-server --requirepass CANARY1 --port 1",
        "valkey-cli --user shop --pass CANARY1",
        "mongosh -u shop -p CANARY1 db",
        "curl -u shop:CANARY1 http://h",
        "sshpass -p CANARY1 ssh h",
        "AUTH shop CANARY1",
        "Command # 1 (AUTH CANARY1) of pipeline caused error",
        '1700000000.1 [0 127.0.0.1:1] "AUTH" "shop" "CANARY1"',
        "['AUTH', 'CANARY1']",
        "CONFIG SET requirepass CANARY1",
        "ACL SETUSER shop on >CANARY1 ~*",
        "SET PASSWORD FOR 'shop'@'h' = PASSWORD('CANARY1')",
        "db.auth('shop', 'CANARY1')",
        "cannot connect to shop:CANARY1@db.example:5432/shop",
        "cannot connect to (shop:CANARY@1@10.0.0.7)",
        "dsn=shop:CANARY1@db",
        "postgresql:/shop:CANARY1@db/shop: cannot be read",
        "/files/postgresql%3A%2F%2Fshop%3ACANARY1%40db%2Fshop",
        "/files/postgresql%3A//shop%3ACANARY%2540%401%40db/shop",
        "http://h/?dsn=mysql%253A%252F%252Fshop%253ACANARY1%2540db&x=1",
        "http://h/?a=mysql%3A%2F%2Fshop%3ACANARY1%40h&b=redis%3A%2F%2F%3ACANARY2%40h",
        "mysql%3A%2F%2Fshop%3ACANARY",
        "jwt eyJhbGciOiJIUzI1.eyJzdWIiCANARY.CANARY",
        "-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_password_that_nobody_told_us_is_removed_by_its_form(text: str) -> None:
    assert "CANARY" not in Redactor().text(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:3000/runs and http://[::1]:80, redis://127.0.0.1:6379/0",
        "open http://127.0.0.1:3001: the reports",
        "write it like postgresql://user:password@127.0.0.1:5432/database.",
        "FATAL: password authentication failed for user shop",
        "Access denied for user 'shop'@'localhost' (using password: YES)",
        "level 100: 12.5 workflows/s",
        "postgresql://user:***@127.0.0.1:5432/database",
        "usage: shop [--password PASSWORD] [--token TOKEN]",
        "argument --password: expected one argument",
        "password: must have 8 characters",
        "NOAUTH Authentication required.",
        "ERR AUTH <password> called without any password configured for the default user.",
        "SMTP AUTH extension not supported by server.",
        "WRONGPASS invalid username-password pair or user is disabled.",
        "the requirepass directive is not set",
        "Unexpected token: } at line 3; unexpected token: identifier",
        "    token = next(tokens)",
        "max_tokens=4096 token=12",
        "Authorization: required; Basic authentication is off; Bearer token is missing",
        "mail bob@example.com or mailto:bob@example.com, From:bob@example.com",
        "image redis:7@sha256:0123456789abcdef",
        "git@github.com:shop/shop.git@v1, shop.py:12@main",
        "12 pass, pass=12, 3 fail",
        "shop.py::test_order[4] in /home/shop/x%3A1/y%20z",
        "http://h/?next=http%3A%2F%2F127.0.0.1%3A3000%2Fruns",
        "volumes: data:/var/lib:ro",
        "MySQL - p99 12 ms; mysql -u shop -p; mysql -P 3306 --protocol=tcp",
        "kailash==2.19.0+pandas==2.2.3 at shop:order",
        "no postgres-replica: postgres-re",
    ],
)
def test_a_text_without_a_password_stays_as_it_is(text: str) -> None:
    redactor = knowing(
        "postgresql://postgres:postgres@127.0.0.1/postgres", "mysql://u:postgres-reader-2@h/d"
    )
    assert redactor.text(text) == text


@pytest.mark.parametrize("secret", SECRETS)
def test_a_known_password_is_removed_where_it_is_cut_short(secret: str) -> None:
    """Whoever quotes a long text cuts it somewhere; less than half of a password is no password."""
    redactor = knowing(url_of(secret))
    for length in range(len(secret) * 2 // 3, len(secret)):
        assert "CANARY" not in redactor.text(f"tried {secret[:length]}")
        assert "CANARY" not in redactor.text(f"tried {secret[:length]}... at 12")
    assert "CANARY" not in redactor.text(quote(secret, safe="")[:-1])


@pytest.mark.parametrize("secret", SECRETS)
def test_a_known_password_is_removed_in_another_case(secret: str) -> None:
    shown = knowing(url_of(secret)).text(
        f"tried {secret.lower()}, {secret.upper()}, {secret.swapcase()}, {secret.lower()[:-1]}"
    )

    assert "canary" not in shown.lower()


def test_a_password_that_is_a_word_stays_a_word_in_another_case_and_cut() -> None:
    redactor = knowing("redis://:Benchmark@10.0.0.7/0", "mysql://u:postgres-shop-2024@h/d")

    assert redactor.text("the benchmark of postgres") == "the benchmark of postgres"
    assert redactor.text("the Benchmark") == "the ***"


def test_a_password_that_is_a_word_is_not_removed_from_inside_of_other_words() -> None:
    redactor = knowing("redis://:base@10.0.0.7/0", "postgresql://u:baseline@10.0.0.7/d")

    assert redactor.text("database base") == "database ***"
    assert redactor.values({"scenario": "baseline"}) == {"scenario": "baseline"}
    assert redactor.values({"why": "no baseline here"}) == {"why": "no *** here"}


def test_what_libpq_says_about_a_url_has_no_password_left() -> None:
    """The real driver, not its texts as we remember them."""
    url = "postgresql://user:CANARY%zz@127.0.0.1:1/db"
    with pytest.raises(psycopg.Error, match="CANARY") as failed:
        psycopg.connect(url)
    redactor = knowing(url)

    redactor.error(failed.value)

    assert "CANARY" not in str(failed.value)


def test_the_whole_chain_of_an_error_is_cleaned() -> None:
    error = RuntimeError("mysql://u:CANARYouter@h/d", 5)
    error.add_note("mysql://u:CANARYnote@h/d")
    error.__cause__ = ValueError("mysql://u:CANARYinner@h/d")

    Redactor().error(error)

    assert error.args == ("mysql://u:***@h/d", 5)
    assert "CANARY" not in f"{error.__cause__}{error.__notes__}"


@pytest.mark.parametrize(
    "text",
    [
        "http://" + "a" * 100_000,
        "redis://" * 10_000,
        "password" * 10_000,
        "http://a:" + "b" * 50_000,
        "a://b:" * 50_000,
        "http%3A%2F%2Fa%3A" * 20_000,
        "%3A" * 100_000 + "@",
        "a:b@" * 50_000,
        "a:" * 100_000 + "@",
        "a" * 300_000 + "@",
        "mysql -p " * 20_000,
        "AUTH x" * 20_000,
        "AUTH " * 50_000,
        "token=" * 50_000,
        "Bearer " * 50_000,
        "Authorization: " * 20_000,
        "-eyJ" * 50_000,
        "password='" + "x" * 100_000,
        "auth('" * 20_000,
        "<password>" * 20_000,
        "--password " * 20_000,
        "Cookie: a=" * 20_000,
        "CANARYplai" * 30_000,
    ],
)
def test_a_long_text_costs_a_time_in_proportion(text: str) -> None:
    """The first three took minutes: each letter began a search to the end."""
    redactor = knowing(*map(url_of, SECRETS))
    began = time.process_time()
    redactor.text(text)
    assert time.process_time() - began < 5
