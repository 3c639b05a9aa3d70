"""Passwords of servers are in nothing that a run writes, prints or shows in the process list."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import secrets
import sys
import threading
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

import psycopg
import pymysql
import pytest
from redis import Redis

from tests.sandbox import Sandbox
from tests.unit.dashboard.conftest import site_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

CANARY = f"CANARY{secrets.token_hex(4)}"
"""Begins every password; of this process, for other tests on the machine have their own."""

SECRETS = {
    "postgres": f"{CANARY}pg#1/x?y@z 'q",
    "mysql": f'{CANARY}my"2%&=:w',
    "redis": f"{CANARY}re3plain",
    "mongodb": f"{CANARY}mo4/ü",
}


def _in_base64(text: str, before: int) -> str:
    """The characters that a text alone decides behind ``before`` other bytes."""
    raw = b"\0" * before + text.encode()
    return base64.b64encode(raw)[-(-before * 8 // 6) : len(raw) * 8 // 6].decode()


MARK = re.compile("|".join([CANARY, *(_in_base64(CANARY, n) for n in range(3))]).encode())
"""The canaries, as they are and in Base64 at each of the three offsets."""

LEAKY = """
import base64, json, logging, os, subprocess, sys
import psycopg

NAMES = ["POSTGRES", "MYSQL", "REDIS"]
URLS = [os.environ[f"PERF_PIPELINE_{name}_URL"] for name in NAMES]
URLS.append("mongodb://u:CANARYelse5@10.0.0.7,10.0.0.8/d?replicaSet=r")  # nobody told us
print("connecting to", URLS, flush=True)
print(json.dumps(dict(os.environ)), file=sys.stderr)
subprocess.run(["sh", "-c", "echo from a child: $PERF_PIPELINE_POSTGRES_URL >&2"])
open(os.path.expanduser("~/connections.json"), "w").write(json.dumps(URLS))

def leak(number):
    url = URLS[number % 4]
    match number % 8:
        case 0: raise ValueError(f"cannot use {url}")
        case 1: psycopg.connect("postgresql://u:CANARYelse5%zz@127.0.0.1:1/d")
        case 2: psycopg.connect("host=127.0.0.1 port=1 password='CANARYelse5' user")
        case 3: raise OSError(f"Basic {base64.b64encode(url.encode()).decode()}")
        case 4: raise RuntimeError(repr(url.encode()) + "x" * 1960 + json.dumps(url))
        case 5:
            from urllib.parse import unquote, urlsplit
            decoded = unquote(url)
            print(decoded)
            raise ConnectionError(f"{decoded} refused: port {urlsplit(decoded).port}")
        case 6:
            try:
                raise KeyError(url)
            except KeyError as error:
                raise LookupError(f"no server in {os.environ}") from error
"""
SCENARIO = f"""
target = "callable"
interpreter = "{sys.executable}"
python_path = "."
processes = 1
concurrency = [1]
servers = ["postgres", "mysql", "redis"]
[[workload]]
function = "leaky:leak"
[phases]
ramp_up_s = 0.1
warm_up_s = 0.2
steady_s = 1
"""


def with_login(url: str, user: str, secret: str) -> str:
    """The same server for another user."""
    parts = urlsplit(url)
    return parts._replace(
        netloc=f"{user}:{quote(secret, safe='')}@{parts.netloc.rpartition('@')[2]}"
    ).geturl()


@pytest.fixture
def canaries(servers: dict[str, Server]) -> Iterator[dict[str, str]]:
    """URLs of four real servers whose passwords are canaries; the stand-in refuses any login."""
    postgres, mysql, redis = (servers[name].url for name in ("postgres", "mysql", "redis"))
    admin = urlsplit(mysql)
    with (
        psycopg.connect(postgres, autocommit=True) as to_postgres,
        pymysql.connect(
            host=admin.hostname,
            port=admin.port or 0,
            user=admin.username,
            password=admin.password or "",
        ) as to_mysql,
        to_mysql.cursor() as cursor,
        Redis.from_url(redis) as to_redis,
    ):
        literal = psycopg.sql.Literal(SECRETS["postgres"])
        role = psycopg.sql.SQL("CREATE ROLE canary SUPERUSER LOGIN PASSWORD {}").format(literal)
        to_postgres.execute(role)
        cursor.execute("CREATE USER canary IDENTIFIED BY %s", [SECRETS["mysql"]])
        cursor.execute("GRANT ALL ON *.* TO canary")
        to_redis.execute_command(
            "ACL", "SETUSER", "canary", "on", f">{SECRETS['redis']}", "~*", "&*", "+@all"
        )
        try:
            yield {
                "POSTGRES": with_login(postgres, "canary", SECRETS["postgres"]),
                "MYSQL": with_login(mysql, "canary", SECRETS["mysql"]),
                "REDIS": with_login(redis, "canary", SECRETS["redis"]),
                "MONGODB": with_login(servers["mongodb"].url, "canary", SECRETS["mongodb"]),
            }
        finally:
            to_postgres.execute("DROP ROLE canary")
            cursor.execute("DROP USER canary")
            to_redis.execute_command("ACL", "DELUSER", "canary")


class WhatOthersSee:
    """Reads until it is left what other users and programs of this machine can read of a run.

    Attributes:
        seen: The command line of every process, and the environment of those of other users:
            servers that root started are theirs.
        metrics: What exporters serve.
    """

    def __init__(self, scrape_dir: Path) -> None:
        self.seen: set[bytes] = set()
        self.metrics: list[bytes] = []
        self._scrape_dir = scrape_dir
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._reader.join()

    def _read(self) -> None:
        while not self._over.wait(0.1):
            for entry in Path("/proc").iterdir():
                if entry.name.isdecimal():
                    with suppress(OSError):
                        self.seen.add((entry / "cmdline").read_bytes())
                        if entry.stat().st_uid != os.getuid():
                            self.seen.add((entry / "environ").read_bytes())
            for path in self._scrape_dir.glob("*.json"):
                with suppress(OSError, HTTPException):
                    (target,) = json.loads(path.read_bytes())[0]["targets"]
                    with urllib.request.urlopen(f"http://{target}/metrics", timeout=5) as answer:
                        self.metrics.append(answer.read())


def leaks(folder: Path, but: str) -> list[str]:
    """Every file with a canary in it or in its name, packed or not, but the module itself."""
    found = []
    for path in sorted(folder.rglob("*")):
        if MARK.search(os.fsencode(path)):
            found.append(f"the name {path}")
        if path.is_file() and not path.is_symlink() and path.stem.split(".")[0] != but:
            content = path.read_bytes()
            if path.suffix == ".gz":
                content = gzip.decompress(content)
            found += [
                f"{path}: {content[max(0, m.start() - 60) : m.end() + 30]!r}"
                for m in MARK.finditer(content)
            ][:2]
    return found


def test_no_password_is_anywhere_after_a_run_that_leaks_as_much_as_it_can(
    tmp_path: Path, canaries: dict[str, str]
) -> None:
    """Results, journals, archive, state, Dagster's database, logs, output, live metrics.

    Also the process list and the pages of the dashboard; alerts go to an address that is a secret.
    """
    sandbox = Sandbox(tmp_path)
    sandbox.environ |= {f"PERF_PIPELINE_{name}_URL": url for name, url in canaries.items()}
    scrape_dir = tmp_path / "scrape"
    sandbox.environ["PERF_PIPELINE_SCRAPE_DIR"] = str(scrape_dir)
    sandbox.environ["PERF_PIPELINE_ALERT_WEBHOOK_URL"] = f"http://127.0.0.1:1/{CANARY}/{CANARY}hook"
    module, scenario = tmp_path / "leaky.py", tmp_path / "leaky.toml"
    module.write_text(LEAKY.replace("CANARY", CANARY))
    scenario.write_text(SCENARIO)

    with WhatOthersSee(scrape_dir) as others:
        ran = sandbox.cli("run", str(scenario), "--json")
        said = [ran, sandbox.cli("records", "latest"), sandbox.cli("status")]
        (tmp_path / "archives").mkdir()
        said.append(
            sandbox.run(
                *(sys.executable, "-m", "perf_pipeline.archive", "export", str(sandbox.results)),
                cwd=tmp_path / "archives",
            )
        )

    result = json.loads(ran.stdout.splitlines()[-1])
    assert result.get("levels"), ran.stdout + ran.stderr
    assert said[3].returncode == 0, said[3].stderr
    output = "".join(one.stdout + one.stderr for one in said)
    assert "***" in output
    assert not MARK.search(output.encode())
    assert not [line for line in others.seen if MARK.search(line)]
    assert any(b"loadtest_" in text for text in others.metrics)
    assert not [text for text in others.metrics if MARK.search(text)]
    (log,) = sandbox.results.glob("*/levels/*/worker-0.log")
    assert "from a child: postgresql://canary:***@" in log.read_text()
    assert list(sandbox.results.glob("*/logs/*.jsonl")), "no process wrote a log"
    assert leaks(tmp_path, but=module.stem) == []
    site = site_of(sandbox.results)
    for page in ("/", "/trends/", "/comparisons/", "/alerts/", f"/{result['run_id']}/report.html"):
        assert not MARK.search(site.answer(page).body), page
