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
    ],
)
def test_a_text_without_a_password_stays_as_it_is(text: str) -> None:
    assert knowing("postgresql://postgres:postgres@127.0.0.1/postgres").text(text) == text


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
    ],
)
def test_a_long_text_costs_a_time_in_proportion(text: str) -> None:
    """The first three took minutes: each letter began a search to the end."""
    began = time.process_time()
    Redactor().text(text)
    assert time.process_time() - began < 5
