"""Commands that start no load."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.samples.run_record import COMPLETE
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, at_s, write_level

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Answer

GOOD = 'concurrency = [10, 20]\n[[workload]]\nfamily = "transformation"\ncomplexity = "simple"\n'

HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "not_toml": b"concurrency = [10,,]",
    "not_utf8": b"title = '\xff\xfe'",
    "nul": b"\0" * 100,
    "byte_order_mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "deep": b"a = " + b"[" * 2000,
    "long_integer": b"seed = " + b"9" * 5000,
    "huge": b"# " + b"x" * 20_000,
    "wrong_everywhere": b'concurrency = "many"\nphases = 3\nworkload = [1]\narm = {}\nx.y.z = nan',
    "escapes": b'title = "\\u001b[31m\\u0000"\nconcurrency = [inf]',
}


def test_check_shows_where_requests_go_and_sends_none(
    command: Callable[..., Answer], here: Path
) -> None:
    """A path that the server does not have is seen before a whole run of 404."""
    tables = '[[requests]]\nname = "order"\nserver = "kailash"\nurl = "http://127.0.0.1:1"\n'
    (here / "sent.toml").write_text(f'target = "http"\nconcurrency = [4]\n{tables}')
    answer = command("check", "sent.toml")
    assert answer.code == 0
    assert "order: POST http://127.0.0.1:1/execute; nothing was sent" in answer.out


def test_a_good_file_is_exit_code_0(command: Callable[..., Answer], here: Path) -> None:
    (here / "good.toml").write_text(GOOD)
    answer = command("check", "good.toml", "--json")
    assert (answer.code, answer.reported["problems"], answer.reported["levels"]) == (
        0,
        [],
        [10, 20],
    )
    shown = " ".join(command("check", "good.toml", "--explain").out.split())
    largest = answer.reported["largest_levels"]
    assert largest["threads"] == answer.reported["largest_level"]
    assert shown.startswith("good.toml: good (good; levels 10, 20) 10 in flight on kailash: fits")
    assert " 20 in flight on kailash: fits, of " in shown
    assert " where a slot is a thread (" in shown
    assert " where a slot is a task of an event loop (" in shown


def test_a_check_answers_in_two_lines(command: Callable[..., Answer], here: Path) -> None:
    (here / "good.toml").write_text(GOOD)
    good, fits = command("check", "good.toml").out.splitlines()
    assert good == "good.toml: good (good; levels 10, 20)"
    assert re.fullmatch(
        "fits: at most 20 in flight; this machine can run [0-9]+ where a slot is a thread", fits
    )


def test_a_check_names_each_level_and_arm_and_what_the_machine_holds_of_its_kind(
    command: Callable[..., Answer], here: Path
) -> None:
    arm = (
        '[[arm]]\nlabel = "tasks"\ntarget = "control_async"\nnodes = "code"\nconcurrency = 30\n'
        "steady_s = 1\n"
    )
    (here / "named.toml").write_text('level_names = ["low", "high"]\n' + GOOD + arm)
    largest = command("check", "named.toml", "--json").reported["largest_levels"]
    levels = [
        line.strip() for line in command("check", "named.toml", "--explain").out.splitlines()[1:4]
    ]
    # Free memory moves between the two, so that the figures are only compared where they cannot.
    assert [level.partition(": ")[0] for level in levels] == [
        "10 in flight on kailash (low)",
        "20 in flight on kailash (high)",
        "30 in flight on control_async (arm tasks)",
    ]
    assert largest["asyncio"] >= largest["threads"]


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_exit_code_2_and_no_traceback(
    command: Callable[..., Answer], here: Path, content: bytes
) -> None:
    (here / "hostile.toml").write_bytes(content)
    answer = command("check", "hostile.toml", "--json")
    assert answer.code == 2
    assert answer.reported["error"] == "ScenarioError"
    assert answer.err.splitlines() == answer.reported["problems"]
    assert all("hostile.toml" in problem for problem in answer.reported["problems"])
    assert answer.err.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["missing.toml", "/", "/dev/zero", "pipe.toml", "x" * 5000])
def test_what_is_no_file_is_exit_code_2(
    command: Callable[..., Answer], here: Path, name: str
) -> None:
    os.mkfifo(here / "pipe.toml")
    answer = command("check", name, "--json")
    assert answer.code == 2
    assert len(answer.reported["problems"]) == 1
    assert "Traceback" not in answer.err


def test_every_problem_of_a_file_is_reported_at_once(
    command: Callable[..., Answer], here: Path
) -> None:
    (here / "wrong.toml").write_text(
        GOOD.replace("[10, 20]", "[0, nan]").replace("simple", "smple")
        + "[phases]\ndurations = 3\n"
    )
    reported = command("check", "wrong.toml", "--json").reported["problems"]
    assert [problem.split(":")[0] for problem in reported] == [
        *("wrong.toml line 1", "wrong.toml line 1", "wrong.toml line 4", "wrong.toml line 6")
    ]
    assert 'did you mean "duration"?' in reported[3]


def test_scenarios_are_listed_with_their_titles(command: Callable[..., Answer]) -> None:
    assert (
        command("scenarios", "--json").reported["scenarios"]["baseline"] == "Baseline: normal load"
    )
    assert "baseline     Baseline: normal load" in command("scenarios").out


def test_records_of_a_run_that_goes_on_are_counted(
    command: Callable[..., Answer], run_folder: RunFolder
) -> None:
    reported = command("records", run_folder.run_id, "--json").reported
    assert reported["status"] == "running"
    assert reported["outcomes"]["ok"] == 20
    assert reported["in_flight_median"] == {"2": 2.0}
    assert reported["levels"][0]["outcomes"]["ok"] == 20
    assert "the run is still going on" in command("records").out


def test_what_is_in_flight_in_a_run_that_goes_on_was_not_left_by_killed_workers(
    command: Callable[..., Answer], begun: RunFolder
) -> None:
    worker = SimulatedWorker(
        [at_s(0, 0, 1, slot=0)], in_flight=[(0, 1, GO_NS + SECOND)], lost={0: 1}, closed=False
    )
    write_level(begun.root / "levels/00-2", [worker], slots=2, supervisor_killed=True)
    reported = command("records", "--json").reported
    assert (reported["status"], reported["recovered"], reported["may_be_missing"]) == (
        "running",
        False,
        0,
    )
    people = command("records").out
    assert "the run is still going on" in people
    assert "recovered from" not in people


def test_records_of_a_killed_run_show_what_was_recovered(
    command: Callable[..., Answer], begun: RunFolder
) -> None:
    """Slot 0 was in flight; slot 1 had started two more of which nothing but their number is left.

    The workflows in flight become records, as what our own stop cut short.
    """
    worker = SimulatedWorker(
        [at_s(0, 0, 1, slot=0), at_s(1, 0, 1, slot=1)],
        in_flight=[(0, 2, GO_NS + SECOND), (1, 3, GO_NS + SECOND)],
        lost={1: 2},
        closed=False,
    )
    write_level(begun.root / "levels/00-2", [worker], slots=2, supervisor_killed=True)
    dead = own_stamp()._replace(start_ticks=1)
    record = {**read_json(begun.status_file), "status": "running", "process": list(dead)}
    write_json(begun.status_file, record)
    reported = command("records", "latest", "--json").reported
    assert (reported["status"], reported["recovered"], reported["may_be_missing"]) == (
        "killed",
        True,
        2,
    )
    assert {k: v for k, v in reported["outcomes"].items() if v} == {"ok": 2, "abandoned": 2}
    people = command("records").out
    assert f"run {begun.run_id}: killed" in people
    assert "2 workflows were started whose records were lost" in people


def test_records_show_errors_by_class(command: Callable[..., Answer], begun: RunFolder) -> None:
    failed = at_s(1, 1, 2, outcome=Outcome.ERROR, error_class=ErrorClass.CONNECTION)
    rows = [at_s(0, 0, 1), failed]
    write_level(begun.root / "levels/00-2", [SimulatedWorker(rows)], slots=2)
    begun.end(COMPLETE)
    reported = command("records", "--json").reported
    assert {k: v for k, v in reported["error_classes"].items() if v} == {"connection": 1}
    assert reported["outcomes"]["error"] == 1


def test_records_show_up_to_three_texts_a_class_inert(
    command: Callable[..., Answer], begun: RunFolder
) -> None:
    failed = [
        at_s(n, n, n + 1, outcome=Outcome.ERROR, error_class=ErrorClass.CONNECTION)
        for n in range(4)
    ]
    level = begun.root / "levels/00-2"
    write_level(level, [SimulatedWorker(failed)], slots=2)
    with sqlite3.connect(level / "worker-0.sqlite") as journal:
        rows = [(int(ErrorClass.CONNECTION), f"\x1b[31mrefused {n}") for n in range(4)]
        journal.executemany("INSERT INTO error_example VALUES (?, ?)", rows)
    begun.end(COMPLETE)
    lines = command("records").out.splitlines()
    at = lines.index("    connection 4")
    assert lines[at + 1 :] == [f"      \\x1b[31mrefused {n}" for n in range(3)]


def test_a_function_that_is_not_there_is_a_problem_of_the_file(
    command: Callable[..., Answer], here: Path
) -> None:
    (here / "shop.py").write_text("def order(number): pass\n")
    text = (
        f'target = "callable"\npython_path = "."\ninterpreter = "{sys.executable}"\n'
        'concurrency = [2]\n[[workload]]\nfunction = "shop:%s"\n'
    )
    (here / "good.toml").write_text(text % "order")
    (here / "bad.toml").write_text(text % "nofunc")
    good, bad = (command("check", f"{name}.toml", "--json") for name in ("good", "bad"))
    assert (good.code, good.reported["functions"]) == (0, ["shop:order"])
    message = f"bad.toml: function shop:nofunc: {here}/shop.py has no nofunc"
    assert (bad.code, bad.reported["problems"]) == (2, [message])
    ran = command("run", "bad.toml", "--results", "out", "--json")
    assert (ran.code, ran.reported["problems"]) == (2, [message])
    assert list((here / "out").iterdir()) == []


def test_a_run_that_was_killed_before_its_first_level_has_no_records(
    command: Callable[..., Answer], here: Path
) -> None:
    RunFolder(here / "results/20260114_093012-4f2c").begin("simulated")
    reported = command("records", "--json").reported
    assert (sum(reported["outcomes"].values()), reported["levels"]) == (0, [])


@pytest.mark.parametrize("name", ["records", "report"])
def test_an_unknown_run_is_exit_code_2_with_the_known_ones(
    command: Callable[..., Answer], run_folder: RunFolder, name: str
) -> None:
    answer = command(name, "20990101_000000-0000", "--json")
    assert (answer.code, answer.reported["error"]) == (2, "RunFolderError")
    assert run_folder.run_id in answer.reported["problems"][0]


@pytest.mark.parametrize("name", ["records", "report"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"status": 3}'])
def test_a_damaged_run_is_exit_code_2_and_no_traceback(
    command: Callable[..., Answer], run_folder: RunFolder, name: str, content: bytes
) -> None:
    run_folder.manifest.write_bytes(content)
    answer = command(name, "--json")
    assert (answer.code, answer.reported["error"]) == (2, "RunFolderError"), answer.err
    run_folder.status_file.write_bytes(content)
    answer = command(name, "--json")
    assert (answer.code, answer.reported["error"]) == (2, "RunFolderError"), answer.err


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("postgresql://u:canary1@127.0.0.1:1/d", "does not answer"),
        ("postgresql://u:canary1@127.0.0.1:1/d?foo=bar", "the option foo"),
        ("postgresql://u:canary1/x@127.0.0.1:1/d", "%2F"),
        ("redis://:canary1@127.0.0.1:1/0", 'begins with "redis:"'),
    ],
)
def test_a_check_names_a_server_of_the_settings_that_cannot_be_used(
    command: Callable[..., Answer],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    cause: str,
) -> None:
    """One that the scenario needs; what is wrong with a URL is said in any case."""
    monkeypatch.setenv("PERF_PIPELINE_POSTGRES_URL", url)
    analytics = GOOD.replace("transformation", "analytics")
    (here / "good.toml").write_text(analytics)
    answer = command("check", "good.toml")
    assert answer.code == 2
    assert "PERF_PIPELINE_POSTGRES_URL" in answer.err
    assert cause in answer.err
    assert "canary1" not in answer.out + answer.err
    assert "Traceback" not in answer.err


def test_init_in_a_folder_that_was_removed_is_exit_code_2(
    command: Callable[..., Answer], here: Path
) -> None:
    gone = here / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    answer = command("init", "shop:order")
    os.chdir(here)

    assert answer.code == 2
    assert "the current folder was removed" in answer.err
