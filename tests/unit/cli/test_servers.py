"""What people are reported of servers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.cli import servers as commands
from perf_pipeline.cli.app import call
from perf_pipeline.cli.servers import describe, is_healthy
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.exit_code import Exit
from perf_pipeline.redaction.redact import remember_url
from perf_pipeline.servers.lifecycle.status import ServiceStatus
from perf_pipeline.servers.stack.service_state import ServiceState
from perf_pipeline.servers.stack.stack import StackStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NO_STACK = StackStatus("perf_pipeline")
PLACE = "MariaDB 10.11.19 at mysql://u:***@127.0.0.1:4000/d (start)"
RUNS = ServiceStatus(
    "mysql",
    "answers",
    "good",
    source="start",
    url="mysql://u:***@127.0.0.1:4000/d",
    product="MariaDB",
    version="10.11.19",
    answer_s=0.0021,
    connections=3,
    max_connections=500,
)
IDLE = ServiceStatus("redis", "can_start", "not_running", "bundle", product="/x/valkey-server")
GONE = ServiceStatus("mongodb", "unavailable", "failing", detail="start it")


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (RUNS, f"{PLACE}, connections 3 of 500, answered in 2 ms"),
        (
            replace(RUNS, connections=None, max_connections=None),
            f"{PLACE}, connections not known, answered in 2 ms",
        ),
        (IDLE, "a run would start /x/valkey-server (bundle)"),
        (GONE, "unavailable"),
    ],
)
def test_one_line_shows_source_product_and_health(status: ServiceStatus, line: str) -> None:
    """What is not known is not shown as zero."""
    assert describe(status) == line


@pytest.mark.parametrize(
    ("servers", "expected"),
    [([RUNS, IDLE], "well"), ([IDLE], "ill"), ([RUNS, GONE], "ill"), ([], "ill")],
)
def test_all_is_well_if_something_runs_and_nothing_fails(
    servers: list[ServiceStatus], expected: str
) -> None:
    """A check that found nothing to check must not look like one that passed."""
    assert is_healthy(servers, NO_STACK) is (expected == "well")


@pytest.mark.parametrize(
    ("states", "expected"),
    [(["healthy", "running"], "well"), (["healthy", "exited"], "ill"), (["starting"], "ill")],
)
def test_a_stack_is_well_if_each_of_its_services_is(states: list[str], expected: str) -> None:
    services = tuple(ServiceState(f"s{number}", state) for number, state in enumerate(states))
    stack = StackStatus("perf_pipeline", services)
    assert is_healthy([IDLE], stack) is (expected == "well")
    assert not is_healthy([GONE], stack)
    assert not is_healthy([RUNS], StackStatus("perf_pipeline", why_not="no engine"))


def test_start_and_stop_leave_their_lines_without_a_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a start that failed, and of the servers that were left out; `logs none` shows all."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    remember_url("redis://u:canary-Zx81-password@127.0.0.1/0")

    def left_out(_settings: object, _services: object, notify: Callable[[str], None]) -> list[str]:
        notify("redis is left out: canary-Zx81-password was refused")
        return []

    def fails(*_: object) -> list[str]:
        raise ServiceUnavailableError("nothing is here for canary-Zx81-password")

    for start, code in ((left_out, Exit.COMPLETE), (fails, Exit.BAD_INPUT)):
        monkeypatch.setattr(commands, "start_servers", start)
        assert call(["start"]) == code
    assert call(["stop"]) == Exit.COMPLETE
    capsys.readouterr()
    assert call(["logs", "none", "--results", str(tmp_path)]) == Exit.COMPLETE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(None, 3)[1:] for line in lines] == [
        ["info", "start", "perf-pipeline start begins"],
        ["warning", "start", "redis is left out: *** was refused"],
        ["info", "start", "perf-pipeline start succeeded"],
        ["info", "start", "perf-pipeline start begins"],
        ["error", "start", "perf-pipeline start failed: nothing is here for ***"],
        ["info", "stop", "perf-pipeline stop begins"],
        ["info", "stop", "perf-pipeline stop succeeded"],
    ]
