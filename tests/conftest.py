"""The three tiers of tests, by folder, and the CPU time that a test of each may take.

Tier 1 (unit, known_truth) is pure; tier 2 (integration, assets, ui) uses real servers, processes
and browsers; tier 3 (performance) measures whole scenarios, and its limit of 10 s is for a
workflow, not for a test. The limit is on the CPU time of the test's own process, without fixtures,
so that other programs on the machine do not count. A test fails at four times its limit: slow
cores, shared caches and the first import of a chart engine are allowed for.

A test of any tier that judges what it measured of a loaded machine is marked ``alone``;
tests/suite.py runs all others side by side. They share no folder, port or server; those that start
runs from the command line wait for each other at the host's load lock.
"""

from __future__ import annotations

import os
import signal
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.servers.mongodb import ferretdb

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

os.environ.setdefault("PERF_PIPELINE_DAGSTER", "off")  # recording takes seconds a run
_TESTS = Path(__file__).parent
LIMITS_S = {
    "unit": 1.0,
    "known_truth": 1.0,
    "integration": 5.0,
    "assets": 5.0,
    "ui": 5.0,
}
SLACK = 4.0


def pytest_report_header() -> str:
    """Say which server speaks MongoDB's protocol in the tests."""
    found = ferretdb.installed(current_settings())
    engine = f"FerretDB ({found})" if found else "nx-27017, a stand-in (no FerretDB: make ferretdb)"
    return f"MongoDB's protocol: {engine}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let ``--timeout`` of the command line act on every test, also on those with a mark of one."""
    asked_s = config.getoption("timeout", None)
    if asked_s is not None:
        for item in items:
            item.add_marker(pytest.mark.timeout(asked_s), append=False)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose server is not available here, with the reason."""
    if item.get_closest_marker("requires_postgres") and (reason := _lacking_postgres()):
        pytest.skip(f"requires_postgres: {reason}")


@pytest.fixture
def hang_ups() -> Iterator[None]:
    """Give what a test starts the usual SIGHUP, also where ``nohup`` started the suite."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@cache
def _lacking_postgres() -> str:
    (status,) = server_status(current_settings(), ["postgres"])
    return status.detail if status.state == "unavailable" else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a test that takes more than four times the time of its tier; slow ones are exempt."""
    before_s = time.process_time()
    yield
    used_s = time.process_time() - before_s
    limit_s = LIMITS_S.get(item.path.relative_to(_TESTS).parts[0])
    if limit_s and used_s > SLACK * limit_s and item.get_closest_marker("slow") is None:
        pytest.fail(
            f"{used_s:.1f} s of CPU: a test of this tier may take {limit_s:.0f} s "
            f"({SLACK:.0f} times that fails); make it smaller, or mark it slow",
            pytrace=False,
        )
