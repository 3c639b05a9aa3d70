"""Help, version and what the shell offers."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.cli.app import COMMANDS, EXAMPLES
from perf_pipeline.cli.completion import offer_gates, offer_scenarios, offer_targets
from tests.sandbox import BIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder
    from tests.unit.cli.conftest import Answer


@pytest.mark.parametrize("value", list(COMMANDS))
def test_every_command_shows_its_examples(command: Callable[..., Answer], value: str) -> None:
    answer = command(value, "--help")
    shown = " ".join(answer.out.split())
    assert answer.code == 0
    assert all(example in shown for example in EXAMPLES[value])
    assert all(f"perf-pipeline {value}" in example for example in EXAMPLES[value])


def test_version_is_the_packages(command: Callable[..., Answer]) -> None:
    answer = command("--version")
    assert (answer.code, answer.out) == (0, "perf-pipeline 0.1.0\n")


@pytest.mark.parametrize("words", ["check baseline", "scenarios", "start", "stop"])
def test_a_results_folder_is_refused_where_it_would_do_nothing(
    command: Callable[..., Answer], words: str
) -> None:
    answer = command(*words.split(), "--results", "x", "--json")
    assert answer.code == 2
    assert "--results would do nothing" in answer.reported["problems"][0]


def test_the_shell_is_offered_scenarios_files_targets_and_gates(here: Path) -> None:
    (here / "bare.toml").touch()
    assert [value for value, _ in offer_scenarios("ba")] == ["baseline", "bare.toml"]
    assert ("kailash", "") in offer_targets("kai")
    assert [value for value, _ in offer_gates("g")] == ["goal"]


def test_the_shell_is_offered_runs_of_the_folder_that_was_named(begun: RunFolder) -> None:
    """Through the program, as bash asks it."""
    words = f"perf-pipeline report --results {shlex.quote(str(begun.root.parent))} 2026"
    environ = {"_PERF_PIPELINE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "4"}
    asked = subprocess.run(
        [sys.executable, str(BIN / "perf-pipeline")],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert asked.stdout.split() == [begun.run_id]
