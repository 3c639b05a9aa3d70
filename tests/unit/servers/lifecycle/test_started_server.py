"""A server of ours is known by its folder and the guardian that holds it, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.lifeline import own_stamp
from perf_pipeline.servers.lifecycle.launch_spec import (
    FOLDER_PREFIX,
    GUARDIAN,
    GUARDIAN_FILE,
    REVIVES,
)
from perf_pipeline.servers.lifecycle.started_server import current_pids, started_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a server whose guardian is this process."""
    made = tmp_path / f"{FOLDER_PREFIX}0123"
    made.mkdir()
    (made / GUARDIAN_FILE).write_text(json.dumps({GUARDIAN: own_stamp(), REVIVES: True}))
    return made


@pytest.fixture
def main_process(folder: Path) -> Iterator[int]:
    """A process that this one started in the folder."""
    with subprocess.Popen(["cat"], cwd=folder, stdin=subprocess.PIPE) as process:
        yield process.pid


def test_its_processes_are_those_in_its_folder_the_one_of_the_guardian_first(
    folder: Path, main_process: int
) -> None:
    script = "import subprocess; subprocess.run(['cat'])"
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", script], cwd=folder.parent, stdin=subprocess.PIPE
    ):
        started = started_server(folder)
        assert started is not None
        assert started.processes() == [main_process]
        assert started.can_be_revived
    assert current_pids(folder, (1,)) == (main_process,)


def test_a_server_that_has_ended_has_no_process_and_keeps_its_known_one(folder: Path) -> None:
    started = started_server(folder)
    assert started is not None
    assert started.processes() == []
    assert started.main_process() is None
    assert current_pids(folder, (7,)) == (7,)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", json.dumps({GUARDIAN: [1, 1, "another boot"]})],
)
def test_a_folder_without_a_living_guardian_is_none_of_ours(folder: Path, text: str) -> None:
    (folder / GUARDIAN_FILE).write_text(text)
    assert started_server(folder) is None


def test_a_folder_of_another_name_is_none_of_ours(folder: Path) -> None:
    other = folder.rename(folder.with_name("data"))
    assert started_server(other) is None
    assert started_server(None) is None
