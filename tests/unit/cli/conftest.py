"""Commands called in this process, in their own folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from perf_pipeline.cli.app import call
from perf_pipeline.samples.manifest import write_manifest
from perf_pipeline.samples.run_folder import RunFolder
from tests.manifests import make_manifest
from tests.sandbox import last_object
from tests.simulated_level import SimulatedWorker, closed_loop, write_level

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Answer(NamedTuple):
    """What a command left.

    Attributes:
        code: Exit code.
        out: Standard output.
        err: Standard error.
    """

    code: int
    out: str
    err: str

    @property
    def reported(self) -> dict[str, Any]:
        """The object that it ended with."""
        return last_object(self.out)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with its own results, state and temporary files."""
    for name in ("PERF_PIPELINE_POSTGRES_URL", "PERF_PIPELINE_REDIS_URL", "PERF_PIPELINE_RESULTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """A function that calls ``perf-pipeline`` with the given arguments."""
    assert here.is_dir()

    def run(*arguments: str) -> Answer:
        code = call(list(arguments))
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return run


@pytest.fixture
def begun(here: Path) -> RunFolder:
    """A run that this process is in the middle of, without any level yet."""
    folder = RunFolder(here / "results" / "20260114_093012-4f2c")
    folder.begin("simulated")
    write_manifest(folder, make_manifest(plan_hashes={"00-2": "abc"}))
    return folder


@pytest.fixture
def run_folder(begun: RunFolder) -> RunFolder:
    """A run of one level that this process is in the middle of: 2 slots, one workflow a second."""
    rows = closed_loop(2, lambda _slot: 1.0, until_s=10)
    write_level(begun.root / "levels/00-2", [SimulatedWorker(rows)], slots=2)
    return begun
