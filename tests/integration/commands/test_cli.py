"""The command line from outside: what it starts, answers and leaves behind."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.sandbox import BIN, Sandbox, last_object, until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.integration

GONE_WITHIN_S = 40.0
"""With three other tests on two cores; 10 s on a quiet machine."""
RUNS = ("answers", "start")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One for all tests here; most ask about runs that others made."""
    made = Sandbox(tmp_path_factory.mktemp("cli"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def tiny(sandbox: Sandbox) -> subprocess.CompletedProcess[str]:
    """A run of a second without servers, ended."""
    return sandbox.cli("run", sandbox.scenario("tiny"), "--json")


class Running:
    """A run with servers in its steady phase, which would last two minutes."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        file = sandbox.long_scenario(name, servers=["postgres", "redis"])
        self.sandbox = sandbox
        self.log = sandbox.folder / f"{name}.out"
        before = len(sandbox.run_folders())
        self.process = sandbox.start("perf-pipeline", "run", file, "--json", log=self.log)
        self.folder = sandbox.wait_until_steady(self.process, before)

    def end_s(self) -> float:
        """Wait until nothing is left of it; returns how long that took."""
        began_s = time.monotonic()
        self.process.wait(timeout=60)
        assert until(lambda: not self.sandbox.processes(), 60), self.sandbox.processes()
        return time.monotonic() - began_s

    def records(self) -> dict[str, Any]:
        """Return what ``records`` says now."""
        asked = self.sandbox.cli("records", self.folder.name, "--json")
        assert asked.returncode == 0, asked.stderr
        return last_object(asked.stdout)


@pytest.fixture
def start(sandbox: Sandbox) -> Iterator[Callable[[str], Running]]:
    """A function that starts a run and returns it in its steady phase."""
    yield lambda name: Running(sandbox, name)
    sandbox.close()


def test_a_run_ends_with_one_object_that_names_what_was_measured(
    sandbox: Sandbox, tiny: subprocess.CompletedProcess[str]
) -> None:
    """Standard output is that object alone; the table for people is on standard error."""
    assert tiny.returncode == 0, tiny.stderr
    assert len(tiny.stdout.splitlines()) == 1
    told = last_object(tiny.stdout)
    assert Path(told["folder"]).parent == sandbox.results
    assert told["run_id"] in Path(told["report"]).read_text(encoding="utf-8")
    assert (told["status"], told["validity"], told["dagster"]) == ("complete", "valid", "succeeded")
    (level,) = told["levels"]
    assert (level["concurrency"], level["validity"], level["in_flight_median"]) == (4, "valid", 4)
    assert level["samples"] > 20
    assert level["throughput"] > 0 < level["avg_latency"]
    assert level["error_rate"] == 0
    (in_file,) = json.loads(Path(level["result_file"]).read_text(encoding="utf-8"))
    assert in_file["samples"] == level["samples"]
    assert "of a test" not in tiny.stdout
    assert "throughput" in tiny.stderr
    assert sandbox.processes() == {}
    assert list(sandbox.temp.iterdir()) == []


def test_records_of_a_complete_run_add_up(
    sandbox: Sandbox, tiny: subprocess.CompletedProcess[str]
) -> None:
    run = last_object(tiny.stdout)
    told = last_object(sandbox.cli("records", run["run_id"], "--json").stdout)
    assert told["status"] == "complete"
    assert told["outcomes"]["ok"] >= run["levels"][0]["samples"]
    assert sum(told["outcomes"].values()) == sum(told["levels"][0]["outcomes"].values())
    assert told["error_classes"] == dict.fromkeys(told["error_classes"], 0)
    assert told["in_flight_median"] == {"4": 4.0}
    assert (told["recovered"], told["may_be_missing"]) == (False, 0)


def test_a_report_is_written_anew_from_the_records(
    sandbox: Sandbox, tiny: subprocess.CompletedProcess[str]
) -> None:
    run = last_object(tiny.stdout)
    folder, result_file = Path(run["folder"]), Path(run["levels"][0]["result_file"])
    for path in (folder / "report.html", folder / "metrics.json", result_file):
        path.unlink()
    told = last_object(sandbox.cli("report", run["folder"], "--json").stdout)
    assert (told["validity"], told["report"]) == ("valid", str(folder / "report.html"))
    assert run["run_id"] in (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "metrics.json").exists()
    assert result_file.exists()


def test_an_interrupted_run_keeps_what_was_measured(
    sandbox: Sandbox, start: Callable[[str], Running]
) -> None:
    """SIGINT twice in a row, as ``timeout`` sends it: 130, and nothing is left."""
    running = start("interrupted")
    assert any("postgres" in name for name in sandbox.processes().values())
    meanwhile = running.records()
    assert (meanwhile["status"], meanwhile["levels"][0]["label"]) == ("running", "4")
    status = last_object(sandbox.cli("status", "--json").stdout)
    assert [run["run_id"] for run in status["runs"]] == [running.folder.name]
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGINT)
    assert running.end_s() < GONE_WITHIN_S
    assert running.process.returncode == 130
    assert sandbox.own_record(running.folder)["status"] == "interrupted"
    told = last_object(running.log.read_text(encoding="utf-8"))
    assert (told["status"], told["dagster"]) == ("interrupted", "interrupted")
    assert (told["validity"], told["levels"][0]["validity"]) == ("incomplete", "incomplete")
    records = running.records()
    assert records["status"] == "interrupted"
    assert records["outcomes"]["ok"] >= meanwhile["outcomes"]["ok"] > 0
    assert (running.folder / "report.html").exists()
    assert list(sandbox.temp.iterdir()) == []


def test_nothing_outlives_kill_9_of_the_command(
    sandbox: Sandbox, start: Callable[[str], Running]
) -> None:
    """The kernel tells the Dagster process, which stops in order and says so in the record."""
    running = start("command_killed")
    running.process.kill()
    assert running.end_s() < GONE_WITHIN_S
    assert sandbox.own_record(running.folder)["status"] == "interrupted"
    assert running.records()["status"] == "interrupted"
    assert list(sandbox.temp.iterdir()) == []


def test_a_script_in_the_background_can_be_interrupted(sandbox: Sandbox) -> None:
    """A shell without job control starts ``command &`` with SIGINT ignored."""
    script = sandbox.folder / "script.sh"
    file = sandbox.long_scenario("background")
    script.write_text(f'"{BIN}/perf-pipeline" run "{file}" & wait $!\n', encoding="utf-8")
    before = len(sandbox.run_folders())
    shell = sandbox.start("/bin/sh", str(script), log=sandbox.folder / "script.out")
    folder = sandbox.wait_until_steady(shell, before)
    (command,) = psutil.Process(shell.pid).children()
    command.send_signal(signal.SIGINT)
    assert shell.wait(timeout=GONE_WITHIN_S) == 130
    assert sandbox.own_record(folder)["status"] == "interrupted"
    assert sandbox.processes() == {}


def test_servers_stay_from_start_to_stop(sandbox: Sandbox) -> None:
    started = last_object(sandbox.cli("start", "--json").stdout)["servers"]
    assert {server["source"] for server in started} <= {"machine", "bundle"}
    between = last_object(sandbox.cli("status", "--json").stdout)["servers"]
    names = [one["service"] for one in between if (one["state"], one["source"]) == RUNS]
    assert {"postgres", "redis"} <= set(names)
    assert last_object(sandbox.cli("stop", "--json").stdout)["stopped"] == names
    assert sandbox.processes() == {}
    again = sandbox.cli("stop")
    assert (again.returncode, again.stdout) == (0, "nothing was running\n")
