"""How the end of a Dagster run is told: one sentence, and an exit code."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from perf_pipeline.cli.child_end import end_of
from perf_pipeline.errors import ScenarioError, ServiceUnavailableError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.failure_note import FailureNote, note_failure, read_note

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.cli.child_end import ChildEnd
    from perf_pipeline.cli.dagster_child import DagsterChild


@dataclass
class Ended:
    """What is left of a child process."""

    code: int = 0
    failure: FailureNote | None = None
    log: str = "Traceback\n  of Dagster\nDagsterError: why\n"

    def end(self, own_home: str = "") -> ChildEnd | None:
        """Return its end."""
        return end_of(cast("DagsterChild", self), own_home)


def noted(folder: Path, error: BaseException, refused: str = "") -> FailureNote:
    """Return what a child notes of an error."""
    file = folder / "note"
    file.touch()
    note_failure(file, error, refused=refused)
    note_failure(file, ValueError("a later one"))
    note = read_note(file.read_bytes())
    assert note is not None
    return note


def test_a_good_end_is_none() -> None:
    assert Ended().end() is None
    assert read_note(b"") is None


@pytest.mark.parametrize(
    ("error", "refused", "text"),
    [
        (ServiceUnavailableError("redis: no server"), "", "redis: no server"),
        (RuntimeError("of Dagster's"), "the scenario is wrong", "the scenario is wrong"),
        (KeyboardInterrupt(), "", "the run was asked to end"),
    ],
)
def test_what_was_refused_is_told_as_it_is(
    here: Path, error: BaseException, refused: str, text: str
) -> None:
    """The first failure counts; nothing is kept in a file, as there is nothing to report."""
    assert Ended(1, noted(here, error, refused)).end() == (text, 3)
    assert not (here / "state").exists()


def test_a_scenario_refused_before_its_load_is_bad_input(here: Path) -> None:
    """A trial call that needs servers is made by the child; without them, by the command."""
    ended = Ended(1, noted(here, ScenarioError(["shop: function shop:order(-3) raised"]))).end()
    assert ended == ("shop: function shop:order(-3) raised", Exit.BAD_INPUT)


def test_a_defect_in_the_child_is_a_defect_of_the_command(here: Path) -> None:
    def broken() -> None:
        raise KeyError("of ours")

    with pytest.raises(KeyError) as raised:
        broken()
    end = Ended(1, noted(here, raised.value)).end()
    assert end is not None
    assert end.code == 70
    (kept,) = (here / "state/perf_pipeline/defects").iterdir()
    assert end.text.endswith(str(kept))
    assert "KeyError: 'of ours'" in end.text
    assert "in broken" in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        (-signal.SIGKILL, "ended by SIGKILL", 3),
        (-signal.SIGTRAP, "ended by SIGTRAP", 70),
        (-signal.SIGSEGV, "ended by SIGSEGV", 70),
        (1, "failed before any of its steps (exit code 1): DagsterError: why", 70),
    ],
)
def test_an_end_without_a_note_is_told_with_the_log(
    here: Path, code: int, text: str, told: int
) -> None:
    """Whoever sends SIGKILL knows; a crash and a failed start have their log kept."""
    end = Ended(code).end()
    assert end is not None
    assert text in end.text
    assert "\n" not in end.text
    assert end.code == told
    kept = list((here / "state").rglob("*.txt"))
    assert len(kept) == (told == 70)


def test_a_dagster_home_that_dagster_cannot_work_with_is_named(here: Path) -> None:
    end = Ended(1).end(own_home="/my/other/project")
    assert end is not None
    assert end.code == 2
    assert "DAGSTER_HOME=/my/other/project" in end.text
    assert "DagsterError: why" in end.text
    assert str(here) in end.text


def test_a_verdict_is_no_end_of_the_child_and_a_failure_takes_its_place(here: Path) -> None:
    """The metrics say the verdict again; what failed after it is said by nothing else."""
    file = here / "note"
    file.touch()
    note_failure(file, RuntimeError(), refused="objective missed", is_verdict=True)
    verdict = read_note(file.read_bytes())
    assert verdict is not None
    assert (verdict.is_verdict, verdict.text) == (True, "objective missed")
    assert Ended(1, verdict).end() is None
    note_failure(file, ServiceUnavailableError("redis is gone"))
    assert Ended(1, read_note(file.read_bytes())).end() == ("redis is gone", 3)
