"""How commands answer people and programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import typer

from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import answer, bad_input_explained
from perf_pipeline.errors import RunFolderError, ScenarioError
from tests.sandbox import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_people_read_standard_error_when_a_program_listens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show("for people", as_json=True)
    answer({"a": 1}, as_json=True)
    assert capsys.readouterr() == ('{"schema_version": 1, "a": 1}\n', "for people\n")
    show("for people", as_json=False)
    answer({"a": 1}, as_json=False)
    assert capsys.readouterr() == ("for people\n", "")


@pytest.mark.parametrize(
    ("error", "code", "problems"),
    [
        (ScenarioError(["one", "two"]), 2, ["one", "two"]),
        (RunFolderError("no run"), 2, ["no run"]),
        (KeyboardInterrupt(), 130, ["interrupted before anything was started"]),
    ],
)
def test_what_the_user_can_act_on_is_explained(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, problems: list[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, bad_input_explained(as_json=True):
        raise error
    assert ended.value.exit_code == code
    out, err = capsys.readouterr()
    assert json.loads(out)["problems"] == problems
    assert err.splitlines() == problems


def test_a_fault_of_ours_is_not_called_bad_input() -> None:
    with pytest.raises(ZeroDivisionError), bad_input_explained(as_json=True):
        raise ZeroDivisionError


def test_a_name_that_is_no_text_is_reported_all_the_same(tmp_path: Path) -> None:
    """Standard output is ASCII here, and the scenario's folder a byte that is not UTF-8."""
    text = 'concurrency = [1]\n[[workload]]\nfamily = "transformation"\ncomplexity = "simple"\n'
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / "fine.toml").write_text(text)
    check = [b"check", b"\xff/fine.toml"]
    ran = subprocess.run(
        [sys.executable, "-c", "from perf_pipeline.cli import main; main()", *check],
        cwd=tmp_path,
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii:strict", "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert b"/fine.toml: good" in ran.stdout
